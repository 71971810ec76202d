"""The running scraper: built from its settings, started, watched, stopped."""
