"""Keys, limits and spend of the gateway. A call goes through `Keys` in this order:

`authenticate` the key, `allows` the model, `reserve` what the call may cost, send it, then `settle` what it cost or
`release` the reservation.
"""

from langchain_unified.gateway.keys.auth import secret_in
from langchain_unified.gateway.keys.facade import Keys, open_keys
from langchain_unified.gateway.keys.records import (
    Caller,
    GeneratedKey,
    KeyInfo,
    KeyRecord,
    KeySettings,
    NewKey,
    Reservation,
    SpendRow,
)

__all__ = [
    "Caller",
    "GeneratedKey",
    "KeyInfo",
    "KeyRecord",
    "KeySettings",
    "Keys",
    "NewKey",
    "Reservation",
    "SpendRow",
    "open_keys",
    "secret_in",
]
