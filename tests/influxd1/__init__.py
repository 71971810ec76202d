"""A real InfluxDB 1.8, as a target of line protocol."""
