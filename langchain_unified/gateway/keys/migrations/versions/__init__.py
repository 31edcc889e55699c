"""One module for each migration, in the form of alembic."""
