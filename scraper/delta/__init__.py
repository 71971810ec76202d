"""What of a sample is new: pure functions and the `Tracker` that holds their state. No I/O, no clock, no settings."""
