"""Roll-ups: the arithmetic, and the job."""
