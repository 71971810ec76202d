"""The HTTP server around the routes: listener, outermost layer, refusals, probes, the page."""
