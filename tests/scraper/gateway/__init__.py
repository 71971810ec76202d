"""Tests of the gateway client."""
