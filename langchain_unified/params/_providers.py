"""The parameters of one provider, and the three public TypedDicts. The docstrings have the form of `_shared.py`'s."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from langchain_unified.params._shared import JsonDict, SharedParams

Verbosity: TypeAlias = Literal["low", "medium", "high"]
Modality: TypeAlias = Literal["text", "audio"]
CacheRetention: TypeAlias = Literal["in_memory", "24h"]


class AnthropicParams(SharedParams, total=False):
    """The shared parameters, and those that only Anthropic has."""

    top_k: int
    """Choose among this many of the likeliest tokens.

    - Values: 1 or more.
    - Default: all tokens.
    - Messages: `top_k`, under the same conditions as `temperature`.
    - Chat: Not sent: the API has none.
    - Responses: Not sent: the API has none.
    - Source: Anthropic's migration guide for API version 2026-10-21.
    """


class OpenAIParams(SharedParams, total=False):
    """The shared parameters, and those that only OpenAI has."""

    seed: int
    """Asks for the same answer to the same request, without a guarantee.

    - Values: an integer.
    - Default: none.
    - Messages: Not sent: the API has none.
    - Chat: `seed`.
    - Responses: Not sent: the API has none.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    presence_penalty: float
    """Makes tokens that have already occurred less likely.

    - Values: -2 to 2.
    - Default: 0.
    - Messages: Not sent: the API has none.
    - Chat: `presence_penalty`. Not sent while the model reasons.
    - Responses: Not sent: the API has none.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    frequency_penalty: float
    """Makes tokens less likely the more often they have occurred.

    - Values: -2 to 2.
    - Default: 0.
    - Messages: Not sent: the API has none.
    - Chat: `frequency_penalty`. Not sent while the model reasons.
    - Responses: Not sent: the API has none.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    logit_bias: dict[str, int]
    """Makes single tokens more or less likely.

    - Values: token id to a number from -100 (never) to 100 (always).
    - Default: none.
    - Messages: Not sent: the API has none.
    - Chat: `logit_bias`. Not sent while the model reasons.
    - Responses: Not sent: the API has none.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    logprobs: bool
    """Whether the reply has the log probability of each of its tokens.

    - Values: `True`, `False`.
    - Default: `False`.
    - Messages: Not sent: the API reports none.
    - Chat: `logprobs`. Not sent while the model reasons.
    - Responses: `include` with `message.output_text.logprobs`. Not sent while the model reasons.
    - Source: OpenAI's SDK, both APIs.
    """
    top_logprobs: int
    """The number of likeliest alternatives to each token that the reply lists, with their log probabilities.

    - Values: 0 to 20.
    - Default: 0.
    - Messages: Not sent: the API reports none.
    - Chat: `top_logprobs`, with `logprobs`.
    - Responses: `top_logprobs`.
    - Source: OpenAI's SDK, both APIs.
    """
    verbosity: Verbosity
    """How long the answer should be.

    - Values: `low`, `medium`, `high`.
    - Default: `medium`.
    - Messages: Not sent: the API has none. Ask for a length in the prompt.
    - Chat: `verbosity`.
    - Responses: `text.verbosity`.
    - Source: OpenAI's SDK, both APIs.
    """
    modalities: list[Modality]
    """The kinds of output that the model may produce. Audio also needs `audio`, and a model with audio output.

    - Values: `text`, `audio`.
    - Default: `["text"]`.
    - Messages: Not sent: Claude answers in text.
    - Chat: `modalities`.
    - Responses: Not sent: only Chat has it.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    audio: JsonDict
    """The voice and the format of audio output.

    - Values: `{"voice": …, "format": "wav" | "mp3" | "flac" | "opus" | "pcm16"}`.
    - Default: none.
    - Messages: Not sent: Claude produces no audio.
    - Chat: `audio`.
    - Responses: Not sent: only Chat has it.
    - Source: OpenAI's SDK, `ChatCompletionAudioParam`.
    """
    prediction: JsonDict
    """What most of the answer will be, such as the file to edit. The answer is then faster.

    - Values: `{"type": "content", "content": …}`.
    - Default: none.
    - Messages: Not sent: the API has none.
    - Chat: `prediction`.
    - Responses: Not sent: only Chat has it.
    - Source: OpenAI's SDK, `ChatCompletionPredictionContentParam`.
    """
    store: bool
    """Whether OpenAI stores the answer, for later calls and for its dashboard.

    - Values: `True`, `False`.
    - Default: Chat `False`, Responses `True`.
    - Messages: Not sent: the API stores no answers.
    - Chat: `store`.
    - Responses: `store`; with `False`, reasoning models also return encrypted reasoning, which later calls send back.
    - Source: OpenAI's SDK, both APIs.
    """
    stream_options: JsonDict
    """Options of a stream. They have no effect without a stream.

    - Values: `include_usage` (Chat; on unless `stream_usage=False`), `include_obfuscation`.
    - Default: `{"include_usage": true}`.
    - Messages: nothing is sent: a stream always has the usage.
    - Chat: `stream_options`.
    - Responses: `stream_options` with `include_obfuscation`; a stream always has the usage.
    - Source: OpenAI's SDK, both APIs.
    """
    prompt_cache_key: str
    """Routes requests with the same prefix to the same cache.

    - Values: a text.
    - Default: none.
    - Messages: Not sent: it caches up to each mark.
    - Chat: `prompt_cache_key`.
    - Responses: `prompt_cache_key`.
    - Source: OpenAI's SDK, both APIs.
    """
    prompt_cache_retention: CacheRetention
    """How long a cached prefix lives. Deprecated: use `prompt_cache_options`, which counts where both are given.

    - Values: `in_memory`, `24h`.
    - Default: the account's.
    - Messages: Not sent: a mark has a `ttl`.
    - Chat: `prompt_cache_retention`.
    - Responses: `prompt_cache_retention`.
    - Source: OpenAI's SDK, both APIs.
    """
    prompt_cache_options: JsonDict
    """How OpenAI caches, on gpt-5.6 and later; for older models it is reported and not sent.

    - Values: `mode`: `implicit`, or `explicit`, which caches only up to the marks and is not sent without a mark, as
      it would switch caching off; `ttl`: `30m`, on Responses also `12h`; on Responses also `prewarm`.
    - Default: `implicit`.
    - Messages: Not sent: it caches up to each mark.
    - Chat: `prompt_cache_options` with `mode` and `ttl`.
    - Responses: `prompt_cache_options`.
    - Source: OpenAI's SDK, both APIs.
    """


# --- the public TypedDicts --------------------------------------------------------------------------------------------


class CallParams(AnthropicParams, OpenAIParams, total=False):
    """Every parameter that has one meaning on both providers. A provider that lacks one reports it in `adjustments`.

    The constructor, `bind` and single calls take all of them, and the later value counts; in the constructor `metadata`
    is called `request_metadata`.

        params: CallParams = {"temperature": 0, "max_tokens": 512}
        model.bind(**params)
    """


class AnthropicCallParams(AnthropicParams, total=False):
    """The parameters of Claude, also under Anthropic's own names. For OpenAI's models the names are translated."""

    stop_sequences: str | list[str]
    """The same as `stop`."""
    system: str | Iterable[JsonDict]
    """A system prompt before the system messages of the conversation: a text, or text blocks with cache marks.

    OpenAI gets it as the first system message; the Responses API as `instructions` if it is a text.
    """


class OpenAICallParams(OpenAIParams, total=False):
    """The parameters of OpenAI's models, also under OpenAI's own names. What Claude lacks is reported."""

    max_completion_tokens: int
    """The same as `max_tokens`."""
    max_output_tokens: int
    """The same as `max_tokens`."""
    safety_identifier: str
    """The same as `user`, but OpenAI gets it under this name on every model. Anthropic gets `metadata.user_id`."""
    instructions: str
    """A system prompt that the Responses API keeps apart from the conversation. Other APIs get a system message."""
