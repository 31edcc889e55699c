"""Alembic's entry. Migrations are rendered as SQL here, and run by `migrate.py` on the store's own driver.

So no second driver is needed, and the migration and its lock are one transaction on one connection. A migration must
therefore not read the database.
"""

from __future__ import annotations

from alembic import context

context.configure(
    dialect_name=context.config.get_main_option("dialect"),
    as_sql=True,
    literal_binds=True,
    transactional_ddl=False,
    output_buffer=context.config.output_buffer,
)
context.run_migrations()
