"""Tests of the scraper."""
