"""Where readings are kept: one Protocol (`base`), one package per database behind it."""
