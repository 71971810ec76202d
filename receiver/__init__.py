"""envoy-relay: receiver."""
