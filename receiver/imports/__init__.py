"""What other programs stored before, taken into the store beside what was measured and never over it.

- `summary`: what an import did, in sentences (pure)
- `envoy_scrape`: the measurement of envoy-scrape (pure)
- `lines_file`: files of line protocol
- `work`: looks at what is stored, writes what is not
- `lock`: keeps an import and a running receiver apart
"""
