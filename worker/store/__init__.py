"""The only code that speaks SQL. SQLite and PostgreSQL run the same code."""
