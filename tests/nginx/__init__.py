"""deploy/nginx.conf in a real nginx."""
