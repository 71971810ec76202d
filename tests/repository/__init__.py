"""What holds for the repository as a whole: `python -m tests.repository` checks it, as part of `make check`."""
