"""From replies of the cloud to values, one module for each endpoint. Pure."""
