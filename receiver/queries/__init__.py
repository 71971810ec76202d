"""What readers ask of the store: times, budgets, series. Pure or store-facing; HTTP is in `receiver.api`."""
