"""Finding the gateway: configured, announced, or by its usual name."""
