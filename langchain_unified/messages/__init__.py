"""Messages in any spelling -> turns of one dialect."""
