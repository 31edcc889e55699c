"""What the errors and notes of batches say."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_unified.batches.state import Part

NO_RESULT = (
    "The batch {batch} has ended, and neither its results nor its errors name this request. `retry()` sends it again."
)

BY_OUTCOME: dict[str, str] = {
    "expired": "The batch {batch} was not done within its 24 hours, and this request was not answered. It costs "
    "nothing. `retry()` sends it again.",
    "canceled": "The batch {batch} was canceled before this request was answered. It costs nothing. `retry()` sends it "
    "again.",
}

NEVER_SENT = "The run was canceled before this request was sent. It costs nothing. `retry()` sends it."


def several(part: Part, ids: Sequence[str]) -> str:
    """Why a part whose answer was lost is not sent again."""
    return (
        f"The answer to a request that creates a batch was lost, and {len(ids)} batches of the account may be it: "
        f"{', '.join(ids)}. Sending it again could pay it twice. Look which one has custom ids of this run, write its "
        "id as `batch_id` and 'running' as `state` into the state of the part, or cancel them and set its state to "
        f"'waiting'. The part has {part.requests:,} requests."
    )


def reopen(place: str, sent: int) -> str:
    """What is true after Ctrl-C."""
    return (
        f"{sent} {'batch goes' if sent == 1 else 'batches go'} on at the provider. Reopen: "
        f"batch = model.batches.open({place}). To end it, then: batch.cancel()."
    )


def unsent(place: str, sent: int, parts: int) -> str:
    """What is true after an error in `submit`."""
    return (
        f"{sent} of {parts} parts of the run were sent. Call submit again with the same arguments to send the rest: "
        f"what was sent is not sent twice. The state is in {place}."
    )
