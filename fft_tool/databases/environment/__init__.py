"""The environment in which Alembic runs every migration of this project."""
