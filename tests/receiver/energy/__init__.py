"""Tests of means and energy."""
