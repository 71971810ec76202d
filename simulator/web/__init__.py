"""A small HTTP/1.1 server whose every byte can be spoiled on purpose."""
