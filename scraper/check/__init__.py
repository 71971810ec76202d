"""The doctor: walks the whole way of a reading and says in plain words what works, what does not and what to do."""
