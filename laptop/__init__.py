"""envoy-relay: laptop."""
