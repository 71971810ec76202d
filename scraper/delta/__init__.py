"""What is new in a sample: pure functions and the `Tracker` that holds their state. No I/O, no clock, no settings."""
