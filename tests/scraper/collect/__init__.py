"""Tests of what is asked when and becomes of the answers."""
