"""Tests of what is asked of the cloud, and of what is final."""
