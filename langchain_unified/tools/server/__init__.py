"""Tools that the providers define."""
