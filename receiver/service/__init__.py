"""The running receiver: built from its settings, started, stopped."""
