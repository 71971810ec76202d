"""A small HTTP/1.1 server whose every byte a fault can change."""
