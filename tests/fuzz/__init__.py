"""Structured mutations of recorded replies and events: nothing raises an exception that is not ours."""
