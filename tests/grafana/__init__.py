"""The Grafana files: well-formed, complete, and every query in them answered by a real InfluxDB."""
