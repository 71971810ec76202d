"""The source of the files: a module per dashboard, on top of `queries`, `variables`, `panel_builders` and `board`."""
