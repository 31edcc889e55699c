"""A request of one API made ready for another, and the answer given back in the client's terms."""

from __future__ import annotations

from langchain_unified.gateway.crossing.cross import Crossing, cross
from langchain_unified.gateway.crossing.proofs import holds_proofs
from langchain_unified.gateway.crossing.state import NotCrossingError

__all__ = ["Crossing", "NotCrossingError", "cross", "holds_proofs"]
