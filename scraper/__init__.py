"""The edge half: reads the gateway at home and posts what changed."""
