"""Tests of what is new in a sample."""
