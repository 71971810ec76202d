"""`envoy-receiver setup` against a real InfluxDB."""
