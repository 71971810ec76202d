"""What other programs wrote, row by row, as our readings or with the reason why not. Pure.

- `summary`: what an import did, in sentences
- `points`: points of an InfluxDB; `envoy_scrape`, `envoy_logger`: what these programs stored there
- `enlighten`, `enlighten_times`, `local_clock`: reports of the manufacturer's cloud, and how they write times
"""
