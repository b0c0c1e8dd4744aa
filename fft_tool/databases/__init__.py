"""What every database of this project shares: addresses, transactions, migrations, errors.

SQLAlchemy and Alembic are optional, and take 300 ms to load: except for
:mod:`fft_tool.databases.patience`, import these modules only where a database is opened.
"""
