"""Tests of the running scraper."""
