"""The pretend gateway: identity, logins, endpoints, meter stream."""
