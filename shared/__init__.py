"""envoy-relay: shared."""
