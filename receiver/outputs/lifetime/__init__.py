"""Lifetime energies of a site and of its panels, which never fall: for the API and for outputs alike."""
