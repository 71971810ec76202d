"""Roll-ups: what the receiver computes from readings and keeps beside them. `compute` and what it calls is pure."""
