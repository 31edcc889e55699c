"""The version of the package, the one that `pyproject.toml` reads."""

__version__ = "0.1.0"
