"""Tests of the simulated API of the cloud."""
