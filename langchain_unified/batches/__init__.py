"""Provider batches: thousands of calls at half the price, answered within a day. `model.batches` submits and opens them."""

from langchain_unified.batches.handle import Batch
from langchain_unified.batches.status import BatchStatus
from langchain_unified.batches.submit import Batches

__all__ = ["Batch", "BatchStatus", "Batches"]
