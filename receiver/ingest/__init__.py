"""The way in: bounded bodies, validation, quotas, marking and group commit."""
