"""Roll-ups: what the receiver computes from readings, and keeps beside them. `compute` and `calendar` are pure."""
