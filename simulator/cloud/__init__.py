"""The pretend cloud: the two hosts that turn account credentials into tokens."""
