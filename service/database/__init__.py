"""The database of the service: its tables, its connection, and its migrations."""
