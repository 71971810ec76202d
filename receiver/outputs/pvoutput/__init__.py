"""PVOutput: what a site made and used, as statuses of 5 to 15 minutes and as days, corrected when the past changes."""
