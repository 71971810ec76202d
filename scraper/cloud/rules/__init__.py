"""What is asked of the cloud, what of its replies is final, and what becomes of it. Pure."""
