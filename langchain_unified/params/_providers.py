"""The parameters of one provider, and the three vocabularies. The form of the docstrings is that of `_shared.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from langchain_unified.params._shared import JsonDict, SharedParams

Verbosity: TypeAlias = Literal["low", "medium", "high"]
Modality: TypeAlias = Literal["text", "audio"]
CacheRetention: TypeAlias = Literal["in_memory", "24h"]


class AnthropicParams(SharedParams, total=False):
    """What both take, and what only Anthropic has."""

    top_k: int
    """Choose among this many of the likeliest tokens.

    - Values: 1 or more.
    - Default: all tokens.
    - Messages: `top_k`, as `temperature`.
    - Chat: Not sent: OpenAI has none.
    - Responses: Not sent: OpenAI has none.
    - Source: Anthropic's migration guide for API version 2026-10-21.
    """


class OpenAIParams(SharedParams, total=False):
    """What both take, and what only OpenAI has."""

    seed: int
    """Asks for the same answer to the same request; not promised.

    - Values: a whole number.
    - Default: none.
    - Messages: Not sent: it has none.
    - Chat: `seed`.
    - Responses: Not sent: it has none.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    presence_penalty: float
    """Makes tokens that have occurred less likely.

    - Values: -2 to 2.
    - Default: 0.
    - Messages: Not sent: it has none.
    - Chat: `presence_penalty`; not while the model reasons.
    - Responses: Not sent: it has none.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    frequency_penalty: float
    """Makes tokens less likely the more often they have occurred.

    - Values: -2 to 2.
    - Default: 0.
    - Messages: Not sent: it has none.
    - Chat: `frequency_penalty`; not while the model reasons.
    - Responses: Not sent: it has none.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    logit_bias: dict[str, int]
    """Makes single tokens more or less likely.

    - Values: token id to -100 (never) … 100 (always).
    - Default: none.
    - Messages: Not sent: it has none.
    - Chat: `logit_bias`; not while the model reasons.
    - Responses: Not sent: it has none.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    logprobs: bool
    """Whether the reply tells the probability of each of its tokens, as a logarithm.

    - Values: `True`, `False`.
    - Default: `False`.
    - Messages: Not sent: it reports none.
    - Chat: `logprobs`; not while the model reasons.
    - Responses: `include` with `message.output_text.logprobs`; not while the model reasons.
    - Source: OpenAI's SDK, both APIs.
    """
    top_logprobs: int
    """For each token, how many of the likeliest are told with their probabilities.

    - Values: 0 to 20.
    - Default: 0.
    - Messages: Not sent: it reports none.
    - Chat: `top_logprobs`, with `logprobs`.
    - Responses: `top_logprobs`.
    - Source: OpenAI's SDK, both APIs.
    """
    verbosity: Verbosity
    """How long the answer should be.

    - Values: `low`, `medium`, `high`.
    - Default: `medium`.
    - Messages: Not sent: it has none. Say it in the prompt.
    - Chat: `verbosity`.
    - Responses: `text.verbosity`.
    - Source: OpenAI's SDK, both APIs.
    """
    modalities: list[Modality]
    """What the answer may be made of. Audio needs `audio` too, and a model that speaks.

    - Values: `text`, `audio`.
    - Default: `["text"]`.
    - Messages: Not sent: Claude answers in text.
    - Chat: `modalities`.
    - Responses: Not sent: only Chat has it.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    audio: JsonDict
    """The voice and the format of a spoken answer.

    - Values: `{"voice": …, "format": "wav" | "mp3" | "flac" | "opus" | "pcm16"}`.
    - Default: none.
    - Messages: Not sent: Claude does not speak.
    - Chat: `audio`.
    - Responses: Not sent: only Chat has it.
    - Source: OpenAI's SDK, `ChatCompletionAudioParam`.
    """
    prediction: JsonDict
    """What most of the answer will be, such as the file to be edited: it then comes faster.

    - Values: `{"type": "content", "content": …}`.
    - Default: none.
    - Messages: Not sent: it has none.
    - Chat: `prediction`.
    - Responses: Not sent: only Chat has it.
    - Source: OpenAI's SDK, `ChatCompletionPredictionContentParam`.
    """
    store: bool
    """Whether OpenAI keeps the answer, so that later calls and its dashboard find it.

    - Values: `True`, `False`.
    - Default: Chat `False`, Responses `True`.
    - Messages: Not sent: nothing is kept for later calls.
    - Chat: `store`.
    - Responses: `store`; with `False` a reasoning model is asked for its reasoning encrypted, to be sent back.
    - Source: OpenAI's SDK, both APIs.
    """
    stream_options: JsonDict
    """What a stream holds beside the answer. Without a stream it has no meaning.

    - Values: `include_usage` (Chat; on unless `stream_usage=False`), `include_obfuscation`.
    - Default: `{"include_usage": true}`.
    - Messages: nothing to send: usage always comes.
    - Chat: `stream_options`.
    - Responses: `stream_options`: `include_obfuscation`; usage always comes.
    - Source: OpenAI's SDK, both APIs.
    """
    prompt_cache_key: str
    """Sends requests with the same beginning to the same cache.

    - Values: a text.
    - Default: none.
    - Messages: Not sent: it caches where marks stand.
    - Chat: `prompt_cache_key`.
    - Responses: `prompt_cache_key`.
    - Source: OpenAI's SDK, both APIs.
    """
    prompt_cache_retention: CacheRetention
    """How long a cached beginning lives. Deprecated in favour of `prompt_cache_options`, which wins over it.

    - Values: `in_memory`, `24h`.
    - Default: the account's.
    - Messages: Not sent: a mark has a `ttl`.
    - Chat: `prompt_cache_retention`.
    - Responses: `prompt_cache_retention`.
    - Source: OpenAI's SDK, both APIs.
    """
    prompt_cache_options: JsonDict
    """How OpenAI caches, on gpt-5.6 and later; on older models it is named.

    - Values: `mode` (`implicit`; `explicit` where a mark is sent: without one it would switch caching off),
      `ttl` (`30m`; on Responses also `12h`), on Responses `prewarm`.
    - Default: `implicit`.
    - Messages: Not sent: it caches where marks stand.
    - Chat: `prompt_cache_options`: `mode` and `ttl`.
    - Responses: `prompt_cache_options`.
    - Source: OpenAI's SDK, both APIs.
    """


# --- the vocabularies -------------------------------------------------------------------------------------------------


class CallParams(AnthropicParams, OpenAIParams, total=False):
    """Every parameter that has one meaning on both providers, or a refusal by name on one of them.

    All of them are taken by the constructor, by `bind` and by single calls, the later winning; `metadata` is called
    `request_metadata` in the constructor.

        params: CallParams = {"temperature": 0, "max_tokens": 512}
        model.bind(**params)
    """


class AnthropicCallParams(AnthropicParams, total=False):
    """What Claude takes, with Anthropic's own names. Good on OpenAI's models too: the names are translated."""

    stop_sequences: str | list[str]
    """The same as `stop`."""
    system: str | Iterable[JsonDict]
    """A system prompt before the conversation's own: a text, or text blocks with their cache marks.

    OpenAI gets it as the first system message; the Responses API as `instructions`, where it is a text.
    """


class OpenAICallParams(OpenAIParams, total=False):
    """What OpenAI's models take, with OpenAI's own names. Good on Claude too: what it lacks is named."""

    max_completion_tokens: int
    """The same as `max_tokens`."""
    max_output_tokens: int
    """The same as `max_tokens`."""
    safety_identifier: str
    """The same as `user`, and sent under this name whichever the model; Anthropic gets it as `metadata.user_id`."""
    instructions: str
    """A system prompt that the Responses API keeps apart from the conversation; the others get a system message."""
