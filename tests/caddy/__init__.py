"""Caddy with the Caddyfile of this project, on loopback."""
