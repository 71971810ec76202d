"""Talking to the gateway: find it, know it, log in, ask; nobody else in the scraper opens a connection to it."""
