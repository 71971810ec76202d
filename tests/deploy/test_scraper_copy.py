"""The two `tar` commands of docs/operations.md carry a scraper's whole state to another machine."""
