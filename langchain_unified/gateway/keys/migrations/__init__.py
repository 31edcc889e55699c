"""The migrations of the store. `migrate.py` runs them at start."""
