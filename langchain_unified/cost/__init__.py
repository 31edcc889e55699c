"""What messages cost: `message_cost` for one, `cost.tracking` for many calls and for budgets."""

from langchain_unified.cost.message import Cost, CostLine, PricedAs, from_cache, message_cost, usd
from langchain_unified.cost.prices import Prices

__all__ = ["Cost", "CostLine", "PricedAs", "Prices", "from_cache", "message_cost", "usd"]
