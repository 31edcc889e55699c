"""Structured output: schemas from types, and answers back into them."""
