"""JSON schemas, and what of them each provider enforces."""
