"""Imports of what other programs stored."""
