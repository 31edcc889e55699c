"""A history that the provider takes."""
