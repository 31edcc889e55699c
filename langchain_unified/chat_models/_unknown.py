"""The error for a keyword that is not known: what to write instead, where that is certain.

`RENAMED` and `REMEDIES` hold the words of other libraries (LiteLLM's, the partner packages', the SDKs', Ollama's).
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

RENAMED: Mapping[str, tuple[str, ...]] = {
    "anthropic_api_base": ("base_url",),
    "api_base": ("base_url",),
    "apiKey": ("api_key",),
    "azure_deployment": ("model",),
    "baseURL": ("base_url",),
    "deployment_id": ("model",),
    "deployment_name": ("model",),
    "endpoint": ("base_url",),
    "force_timeout": ("timeout",),
    "headers": ("default_headers", "extra_headers"),
    "max_length": ("max_tokens",),
    "max_retry": ("max_retries",),
    "maxTokens": ("max_tokens",),
    "modelName": ("model",),
    "num_predict": ("max_tokens",),
    "num_retries": ("max_retries",),
    "openai_api_url": ("base_url",),
    "retries": ("max_retries",),
    "ssl_verify": ("ca_bundle",),
    "stop_words": ("stop",),
    "temp": ("temperature",),
    "topK": ("top_k",),
    "topP": ("top_p",),
    "url": ("base_url",),
    "verify": ("ca_bundle",),
}
"""Words of other libraries, and what has their meaning here. The first that the place takes is named."""

REMEDIES: Mapping[str, str] = {
    "additional_drop_params": 'Leave the parameter out, or write `on_unsupported="ignore"`.',
    "azure_endpoint": 'Write `base_url="https://….openai.azure.com/openai/v1"`.',
    "caching": "`cache` takes one of LangChain's caches; `prompt_cache` is the provider's.",
    "context_window_fallback_dict": "Use `with_fallbacks([…], exceptions_to_handle=(ContextOverflowError,))`.",
    "custom_llm_provider": 'Begin the model\'s name with "openai/" or "anthropic/".',
    "drop_params": 'Write `on_unsupported="ignore"`.',
    "fallbacks": "Use `with_fallbacks([…])`.",
    "input": "The messages are the argument of `invoke`.",
    "input_cost_per_token": "Prices of your own go into `message_cost(…, prices=…)`.",
    "max_budget": 'Write `config={"callbacks": [Budget(usd=…)]}`.',
    "max_parallel_requests": 'Write `config={"max_concurrency": …}` with `batch`.',
    "max_workers": 'Write `config={"max_concurrency": …}` with `batch`.',
    "messages": "The messages are the argument of `invoke`.",
    "mock_response": "In tests, `langchain_unified.testing.emulator` answers.",
    "model_list": "Use `with_fallbacks([…])`.",
    "output_cost_per_token": "Prices of your own go into `message_cost(…, prices=…)`.",
    "rpm": "`rate_limiter` takes one of LangChain's, by requests per second.",
    "stream": "Call `stream` instead of `invoke`, or give `streaming=True` to the constructor.",
    "system_instruction": "Begin the messages with a `SystemMessage`.",
    "system_prompt": "Begin the messages with a `SystemMessage`.",
    "tools": "Use `bind_tools`, or give `tools` with the call.",
}
"""Words of other libraries that no keyword has here, and what does their work."""


def unknown_keyword(key: str, known: Collection[str], place: str, elsewhere: Collection[str] = ()) -> str:
    """The error message for an unknown keyword, with what to write instead where that is certain.

    `known`: the names that the place takes. `elsewhere`: names that another class takes: they are not misspelt.
    """
    hint = _remedy(key, known) or ("" if key in elsewhere else _closest(key, known))
    advice = hint or "A provider's new body keys go into `extra_body`."
    return f"{key!r} is not a parameter of {place}. {advice}"


def _remedy(key: str, known: Collection[str]) -> str:
    if key in RENAMED:
        names = RENAMED[key]
        here = next((name for name in names if name in known), None)
        return f"Write `{here}`." if here else f"Write `{names[0]}` in the constructor."
    return REMEDIES.get(key, "")


def _closest(key: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.85)
    return f"Did you mean {close[0]!r}?" if close else ""


__all__ = ["REMEDIES", "RENAMED", "unknown_keyword"]
