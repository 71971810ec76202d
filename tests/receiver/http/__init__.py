"""Tests of the server around the routes."""
