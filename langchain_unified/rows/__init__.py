"""Rows: the outcome of one input of many, in one format for batches, bulk runs and Ray."""

from langchain_unified.rows.fingerprint import Fingerprint, fingerprint
from langchain_unified.rows.row import Row, RowError, row_of

__all__ = ["Fingerprint", "Row", "RowError", "fingerprint", "row_of"]
