"""Both halves together: real processes, real sockets, real files."""
