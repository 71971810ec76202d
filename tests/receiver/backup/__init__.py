"""Backup and restore, with both stores."""
