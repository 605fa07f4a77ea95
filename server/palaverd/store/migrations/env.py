"""Alembic's environment: runs on the connection that it is given, in its transaction."""

from alembic import context

from palaverd.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
