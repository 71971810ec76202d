"""Tests of the parsers of the cloud's replies."""
