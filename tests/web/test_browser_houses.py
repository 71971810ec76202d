"""A site of two gateways on the page: one entry of the list, its sums, and who is silent."""
