"""Building blocks of a session: its frozen code, its machine, its environment, its walls."""
