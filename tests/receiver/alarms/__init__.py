"""Tests of `receiver.alarms`."""
