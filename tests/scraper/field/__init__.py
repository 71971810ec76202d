"""What gateways in the field do, from their sockets to the API."""
