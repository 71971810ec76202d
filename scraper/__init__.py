"""envoy-relay: scraper."""
