"""The tests of envoy-relay."""
