"""Prompt caching: marks, the policy that sets them, where they are placed, and what came of them."""
