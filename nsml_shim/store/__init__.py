"""SQLite: one file per table, the SQL in the open. Only platform processes write here."""
