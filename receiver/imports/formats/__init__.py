"""What other programs wrote, row by row, as our readings or with the reason why not. Pure.

- `summary`: what an import did, in sentences
- `envoy_scrape`: the measurement of envoy-scrape
- `enlighten`, `enlighten_times`, `local_clock`: reports of the manufacturer's cloud, and how they write times
"""
