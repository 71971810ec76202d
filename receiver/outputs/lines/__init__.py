"""A mirror of every reading in a database that takes line protocol."""
