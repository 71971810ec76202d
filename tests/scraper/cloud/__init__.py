"""Tests of the cloud source."""
