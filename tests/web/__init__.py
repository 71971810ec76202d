"""The page: its sources' own tests, and the built page in a real browser against a real receiver."""
