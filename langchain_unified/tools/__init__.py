"""Tools, tool choice and output formats, in any spelling."""
