"""Proofs of reasoning that pass through a client of another API.

Providers take a model's reasoning back only with what they signed or encrypted: a `signature` (Messages), an
`encrypted_content` (Responses). A client of the other API replays the field of its own API. So the whole block of
reasoning goes out in that field, sealed: signed with the gateway's secret, tagged with the API and the model that wrote
it. What comes back is a client's input: without a valid seal, or for another model, it is left out.

A seal is base64 of `MAGIC`, the signature (32 bytes) and the compressed JSON of the block with its tags.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import zlib
from dataclasses import dataclass
from typing import cast

import orjson

from langchain_unified.history.foreign import same_model
from langchain_unified.request import JsonObject, WireName

MAGIC = b"lcu-r1"
"""Six bytes, so that its base64 is the same in every seal."""
PREFIX = base64.b64encode(MAGIC).decode()
MAC_SIZE = 32
MAX_SEAL = 1 << 20
"""The longest seal, in characters. A longer one is neither made nor read."""
CONTEXT = b"langchain-unified: proof of reasoning, version 1"


def is_seal(proof: object) -> bool:
    """Whether a proof is one of a gateway's, valid or not."""
    return isinstance(proof, str) and proof.startswith(PREFIX)


def holds_proofs(body: bytes) -> bool:
    """Whether a body may hold seals, which no provider can read."""
    return PREFIX.encode() in body


@dataclass(frozen=True, slots=True)
class Opened:
    """What a seal says: the block as its API wrote it, or `why` it does not count."""

    block: JsonObject | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Proofs:
    """Seals and opens the reasoning of one model behind one API. `secret`: the gateway's."""

    secret: bytes
    wire: WireName
    model: str

    def seal(self, block: JsonObject) -> str | None:
        """The seal of a block of reasoning; `None` where it would be too long."""
        data = zlib.compress(orjson.dumps({"wire": self.wire, "model": self.model, "block": block}), 6)
        sealed = base64.b64encode(MAGIC + self._mac(data) + data).decode()
        return sealed if len(sealed) <= MAX_SEAL else None

    def open(self, proof: str) -> Opened:
        """The block in a seal, if it is ours and of this model."""
        if len(proof) > MAX_SEAL:
            return Opened(why=f"Its proof is longer than {MAX_SEAL:,} characters")
        try:
            raw = base64.b64decode(proof, validate=True)
        except (binascii.Error, ValueError):
            return Opened(why=ALTERED)
        mac, data = raw[len(MAGIC) : len(MAGIC) + MAC_SIZE], raw[len(MAGIC) + MAC_SIZE :]
        if not raw.startswith(MAGIC) or not hmac.compare_digest(mac, self._mac(data)):
            return Opened(why=ALTERED)
        held = cast(JsonObject, orjson.loads(zlib.decompress(data)))
        if held["wire"] != self.wire or not _is_same(held["model"], self.model):
            return Opened(why=f"{held['model']} wrote it, and only that model reads it")
        return Opened(block=held["block"])

    def _mac(self, data: bytes) -> bytes:
        key = hmac.digest(self.secret, CONTEXT, hashlib.sha256)
        return hmac.digest(key, data, hashlib.sha256)


ALTERED = "Its proof was altered, or is of another gateway"


def _is_same(one: str, other: str) -> bool:
    """Whether two names are of one model: equal, or a snapshot and its alias. Unknown names must be equal."""
    return one == other or (same_model(one, other) and not same_model(one, UNLIKE) and not same_model(other, UNLIKE))


UNLIKE = "claude-of-no-name"
"""A name that is recognised as a model's and equals none: an unknown name counts as the same as any."""
