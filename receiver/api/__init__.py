"""The HTTP side: routes, limits on what is read, and one kind of error reply."""
