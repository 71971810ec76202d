"""The cloud source: a system that is read through Enphase's API instead of at the gateway."""
