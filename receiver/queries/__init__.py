"""Questions of readers to the store: times, budgets, series, energy, panels. HTTP is in `receiver.api`."""
