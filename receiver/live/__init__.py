"""Live values: stored readings are handed to viewers at once.

- `hub`: from `GroupCommit` to the bounded queue of each viewer
- `solar`: the sums of this second in the form that pages for the Envoy expect
- `events`: server-sent events as bytes
- `watch`: which gateways have viewers
"""
