"""Checks the repository that holds this file; prints what violates the rules, and ends with 1 if anything does."""

import sys
from pathlib import Path

from tests.repository.rules import find_problems

found = find_problems(Path(__file__).parents[2])
print("\n".join(found), end="\n" if found else "")
sys.exit(bool(found))
