"""The edge half: reads the gateway at home and posts what changed."""

__version__ = "0.1.0"
