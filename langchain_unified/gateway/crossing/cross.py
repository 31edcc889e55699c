"""`cross`: what a client of one API asks for, as a call to another API, and how to answer it.

The steps are those of a chat model's call (`chat_models/_plan.py`) from the request on. Before them stands what only a
gateway has: native keys and blocks with an owner, tools that an API lacks, proofs of reasoning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from langchain_unified.catalog import Route
from langchain_unified.chat_models._client_side import client_side
from langchain_unified.chat_models._plan import Plan
from langchain_unified.chat_models._ready import (
    as_taken,
    caller_names_of,
    losses_of,
    with_cache_marks,
    with_valid_text,
)
from langchain_unified.errors import RequestError
from langchain_unified.gateway.crossing.params import with_own_params
from langchain_unified.gateway.crossing.proofs import Proofs
from langchain_unified.gateway.crossing.restore import Restore
from langchain_unified.gateway.crossing.state import LABELS, CrossingState, NotCrossingError
from langchain_unified.gateway.crossing.tools import with_own_tools
from langchain_unified.gateway.crossing.turns import with_own_turns
from langchain_unified.request import Adjustment, Dialect, Profile, Request, WireName
from langchain_unified.transport import HttpCall
from langchain_unified.wires import Wire
from langchain_unified.wires._door import Reading
from langchain_unified.wires._shapes import FOREIGN

MOST_ANSWERS = 128
"""The highest `n` that OpenAI takes. Here each answer is a request of its own."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A call to the upstream, and what to do with its answer.

    `plan` has the body and the headers (`plan.call`), the stop sequences at which the answer is cut here (`plan.stops`)
    and how many times the call is sent (`plan.requests`). `notes` name what was changed; `restore` gives an answer, or
    each chunk of a stream, the client's names and proofs.
    """

    plan: Plan
    notes: tuple[Adjustment, ...]
    restore: Restore


def cross(
    reading: Reading,
    *,
    client: WireName,
    upstream: Wire,
    model: str,
    profile: Profile,
    dialect: Dialect,
    prompt_cache: Any = None,
    secret: bytes,
    on_unsupported: str = "warn",
) -> Crossing:
    """The call for what a client's body asks for.

    `model` is the upstream's id, `profile` what that model can do, `dialect` how its server differs. `prompt_cache` is
    the policy for clients that set no marks. `secret` signs proofs of reasoning. With `on_unsupported="raise"` what
    would be lost raises `UnsupportedParameterError`. Raises our `RequestError`s.
    """
    state = CrossingState(client, upstream, model, profile, dialect, Proofs(secret, upstream.name, model))
    try:
        return _crossed(reading, state, prompt_cache, on_unsupported)
    except RequestError:
        raise
    except FOREIGN as error:
        why = f"{type(error).__name__} in one of its values"
        raise RequestError(f"The body cannot be read for {LABELS[upstream.name]}: {why}.") from error


def _crossed(reading: Reading, state: CrossingState, prompt_cache: Any, on_unsupported: str) -> Crossing:
    upstream, model = state.upstream, state.model
    state.notes.extend(reading.notes)
    if not 1 <= reading.request.params.get("n", 1) <= MOST_ANSWERS:
        raise NotCrossingError(f"n must be from 1 to {MOST_ANSWERS}.", "n")
    prompt_cache = _policy(prompt_cache, reading.request, state)
    request = with_own_turns(with_own_tools(with_own_params(reading.request, state), state), state)
    request, repairs = as_taken(request, upstream, state.notes)
    request, marks = with_cache_marks(request, upstream, state.notes, prompt_cache, unless_marked=True)
    encoded = with_valid_text(upstream.encode(request))
    if request.stream and encoded.body.get("n", 1) != 1 and state.client == upstream.name == "openai_chat":
        encoded = replace(encoded, body={key: value for key, value in encoded.body.items() if key != "n"})
    # A stream of Chat Completions can hold several answers: each is a stream of its own here.
    local = client_side(request, encoded, upstream.name, streams=state.client == "openai_chat")
    notes = (*state.notes, *repairs, *local.adjustments)
    losses_of((*state.notes, *local.adjustments), on_unsupported)
    plan = Plan(
        wire=upstream,
        route=Route(upstream.provider, model, state.profile, state.dialect),
        request=request,
        call=HttpCall(path=upstream.path, body=encoded.body, headers=encoded.headers, model=model),
        adjustments=notes,
        marks=marks,
        stops=local.stops,
        requests=local.requests,
        caller_names=caller_names_of(request.tools),
    )
    proofs = None if state.client == upstream.name else state.proofs
    return Crossing(plan, notes, Restore(plan.caller_names, proofs))


def _policy(given: Any, request: Request, state: CrossingState) -> Any:
    """The policy for cache marks. OpenAI's `prompt_cache_key` asks for caching: on Claude that takes marks."""
    asked = state.client != "anthropic_messages" and request.params.get("prompt_cache_key")
    return "auto" if given is None and asked and state.upstream.provider == "anthropic" else given
