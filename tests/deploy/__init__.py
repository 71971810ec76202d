"""What deploy/ and the compose file promise."""
