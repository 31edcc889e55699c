"""Batches at the provider: thousands of calls at half the price, by `model.batches`."""

from langchain_unified.batches.handle import Batch
from langchain_unified.batches.status import BatchStatus
from langchain_unified.batches.submit import Batches

__all__ = ["Batch", "BatchStatus", "Batches"]
