"""What the files are made from: one module per dashboard, on top of `queries`, `variables`, `parts` and `board`."""
