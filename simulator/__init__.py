"""envoy-relay: simulator."""
