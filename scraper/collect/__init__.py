"""What is asked of the gateway when, and how answers become committed rows."""
