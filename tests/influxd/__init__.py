"""A real InfluxDB 2 for the tests: where it comes from (`binary`) and how it runs (`server`)."""
