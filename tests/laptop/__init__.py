"""Tests of the laptop commands."""
