"""Talking to the gateway: find it, know it, log in, ask; no other package of the scraper opens a connection to it."""
