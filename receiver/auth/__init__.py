"""Who is sending or reading: tokens, keys and revocations."""
