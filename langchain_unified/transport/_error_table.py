"""One table from a provider's codes, its HTTP status and its general types to the class of the error.

A specific code decides first, then the status, then a general type: a 404 of type `api_error` is a missing model, not a
failure to try again. The message decides only where a server has no code for the case. Each row names who sends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from langchain_unified.errors import (
    AuthenticationError,
    BillingError,
    ConflictError,
    ContentPolicyError,
    ContextOverflowError,
    InvalidRequestError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    RateLimitError,
    ServerError,
)

ErrorClass: TypeAlias = type[ProviderError]

BY_STATUS: Mapping[int, ErrorClass] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: BillingError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServerError,
    409: ConflictError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitError,
    529: OverloadedError,
}
"""Any other status from 400 to 499 is an `InvalidRequestError`, all else a `ServerError`."""

BY_CODE: Mapping[str, ErrorClass] = {
    # OpenAI: `code` of an error and of a failed response (openai.types.responses.ResponseError).
    "context_length_exceeded": ContextOverflowError,
    "string_above_max_length": InvalidRequestError,
    "invalid_prompt": ContentPolicyError,
    "bio_policy": ContentPolicyError,
    "content_filter": ContentPolicyError,
    "moderation_blocked": ContentPolicyError,
    "data_residency_mismatch": InvalidRequestError,
    "unsupported_image_media_type": InvalidRequestError,
    "empty_image_file": InvalidRequestError,
    "failed_to_download_image": InvalidRequestError,
    "invalid_base64_image": InvalidRequestError,
    "insufficient_quota": BillingError,
    "billing_hard_limit_reached": BillingError,
    "billing_not_active": BillingError,
    "invalid_api_key": AuthenticationError,
    "model_not_found": NotFoundError,
    "rate_limit_exceeded": RateLimitError,
    "server_overloaded": OverloadedError,
    "slow_down": OverloadedError,
    "vector_store_timeout": ServerError,
    # Anthropic: `details.error_code` (the SDK's types, such as EnforcedSpendLimitReachedError with status 429).
    "enforced_spend_limit_reached": BillingError,
    "contract_spend_limit_reached": BillingError,
    "linked_organization_spend_limit_reached": BillingError,
    "linked_organization_billing_unavailable": BillingError,
    "ramp_limit_exceeded": RateLimitError,
    "organization_on_hold": PermissionDeniedError,
    "request_body_too_large_after_decoding": InvalidRequestError,
    "request_too_large": InvalidRequestError,
    # Azure.
    "DeploymentNotFound": NotFoundError,
    "ResponsibleAIPolicyViolation": ContentPolicyError,
    "RateLimitReached": RateLimitError,
    # Amazon Bedrock: the names of its exceptions.
    "ThrottlingException": RateLimitError,
    "ServiceQuotaExceededException": RateLimitError,
    "ModelNotReadyException": OverloadedError,
    "ServiceUnavailableException": OverloadedError,
    "ModelTimeoutException": ServerError,
    "AccessDeniedException": PermissionDeniedError,
    "ResourceNotFoundException": NotFoundError,
    # llama.cpp (ggml-org/llama.cpp#15780), GitHub Copilot, z.ai.
    "exceed_context_size_error": ContextOverflowError,
    "model_max_prompt_tokens_exceeded": ContextOverflowError,
    "model_context_window_exceeded": ContextOverflowError,
    "1261": ContextOverflowError,
    # DashScope (alibabacloud.com/help/en/model-studio/error-code).
    "InvalidApiKey": AuthenticationError,
    "Arrearage": BillingError,
    "DataInspectionFailed": ContentPolicyError,
    "data_inspection_failed": ContentPolicyError,
    "ModelNotFound": NotFoundError,
    "limit_requests": RateLimitError,
    "limit_burst_rate": RateLimitError,
    # Moonshot (platform.moonshot.ai/docs/api/chat), DeepSeek, OpenRouter.
    "exceeded_current_quota_error": BillingError,
    "rate_limit_reached_error": RateLimitError,
    "engine_overloaded_error": OverloadedError,
    "invalid_authentication_error": AuthenticationError,
    "insufficient_balance": BillingError,
    "insufficient_credits": BillingError,
    # MiniMax: `base_resp.status_code`.
    "1002": RateLimitError,
    "1004": AuthenticationError,
    "1008": BillingError,
    "1026": ContentPolicyError,
    "1027": ContentPolicyError,
    "1039": RateLimitError,
}
"""Codes that name one case, whatever the status is. Families of codes: `BY_PATTERN`."""

BY_PATTERN: tuple[tuple[re.Pattern[str], ErrorClass], ...] = (
    # OpenAI: content_policy_violation, image_content_policy_violation, misalignment_policy_violation, …
    (re.compile(r"\w+_policy_violation"), ContentPolicyError),
    # OpenAI: invalid_image, invalid_image_url, image_too_large, image_parse_error, image_file_not_found, …
    (re.compile(r"(invalid_)?image(_\w+)?"), InvalidRequestError),
    # DashScope: Throttling, Throttling.RateQuota, Throttling.AllocationQuota, Throttling.BurstRate, …
    (re.compile(r"Throttling(\.\w+)?"), RateLimitError),
)

BY_TYPE: Mapping[str, ErrorClass] = {
    # Anthropic: `error.type`.
    "invalid_request_error": InvalidRequestError,
    "authentication_error": AuthenticationError,
    "billing_error": BillingError,
    "permission_error": PermissionDeniedError,
    "not_found_error": NotFoundError,
    "conflict_error": ConflictError,
    "rate_limit_error": RateLimitError,
    "timeout_error": ServerError,
    "api_error": ServerError,
    "overloaded_error": OverloadedError,
    # OpenAI: `error.type`, and the code of its own failures.
    "server_error": ServerError,
    "service_unavailable_error": OverloadedError,
    "invalid_request": InvalidRequestError,
    "tokens": RateLimitError,
    "requests": RateLimitError,
    # vLLM, SGLang: the names of the exceptions.
    "BadRequestError": InvalidRequestError,
    "NotFoundError": NotFoundError,
    "InternalServerError": ServerError,
    "AuthenticationError": AuthenticationError,
    "RateLimitError": RateLimitError,
    # Amazon Bedrock.
    "ValidationException": InvalidRequestError,
    "InternalServerException": ServerError,
    "ModelErrorException": ServerError,
    "ModelStreamErrorException": ServerError,
    # Google: `error.status` (cloud.google.com/apis/design/errors).
    "INVALID_ARGUMENT": InvalidRequestError,
    "FAILED_PRECONDITION": InvalidRequestError,
    "UNAUTHENTICATED": AuthenticationError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "NOT_FOUND": NotFoundError,
    "ABORTED": ConflictError,
    "RESOURCE_EXHAUSTED": RateLimitError,
    "UNAVAILABLE": OverloadedError,
    # text-generation-inference: `error_type`.
    "validation": InvalidRequestError,
    "overloaded": OverloadedError,
}
"""Types and codes that name a kind of case. They decide where no status does, as in an error inside a 200."""

_OVERFLOW = re.compile(
    # Anthropic, Vertex, Databricks; and where max_tokens is too much for what is left.
    r"prompt is too long|exceeds? context limit|exceed the configured limit"
    # OpenAI, Azure; OpenRouter, vLLM, DeepSeek, SGLang, LiteLLM, Fireworks, Mistral.
    r"|exceeds the context window|maximum context length|decoder prompt .* is longer than the maximum model length"
    r"|context[_ ]length[_ ]exceeded|prompt .* is too long to fit into the model"
    # llama.cpp and llama-cpp-python.
    r"|exceeds? the available context size|context size has been exceeded|exceed context window of"
    # LM Studio: three texts (lmstudio-bug-tracker#237, #546; opencode#11141).
    r"|tokens when (the )?context (the )?overflows|greater than the context length"
    r"|n_keep\W+\(?\d+\)?\W+>=\W+n_ctx|reached context length"
    # DashScope (qwen-code#98), Amazon Bedrock, Ollama (nano-brain#208).
    r"|range of input length should be|input is too long for (the )?requested model|too many input tokens"
    r"|input length exceeds (the |maximum )?context length|prompt too long; exceeded (max )?context length"
    # Google, xAI, Groq, Together, text-generation-inference, Cohere.
    r"|input token count.*exceeds the maximum|maximum prompt length is|reduce the length of the messages"
    r"|longer than the model's context length|`inputs` tokens \+ `max_new_tokens` must be"
    r"|inputs` must have less than|too many tokens: (the )?(total number of tokens|size limit exceeded)"
    # MiniMax, Kimi, GitHub Copilot, z.ai, Mistral.
    r"|context window exceeds limit|exceeded model token limit|prompt token count of \d+ exceeds the limit"
    r"|prompt exceeds max length|too large for model with \d+ maximum context",
    re.IGNORECASE,
)
_BILLING = re.compile(
    r"credit balance is too low|usage limits?\b.*\b(reached|exceeded)|insufficient (account )?(balance|credits?)",
    re.IGNORECASE,
)
_KEY = re.compile(r"(api key not valid|incorrect api key provided|invalid api key)", re.IGNORECASE)

BY_MESSAGE: tuple[tuple[re.Pattern[str], ErrorClass], ...] = (
    (_OVERFLOW, ContextOverflowError),
    (_BILLING, BillingError),
    (_KEY, AuthenticationError),
)
READ_BY_MESSAGE: frozenset[ErrorClass] = frozenset({InvalidRequestError, ServerError, PermissionDeniedError})
"""Classes whose message is read as well: some servers report an overflow with 403 or 500, or without any code."""


def classify(status: int | None, codes: Iterable[str | None], message: str) -> ErrorClass:
    """The class of a provider's error. `codes`: its codes and types, the most specific one first.

    `status=None`: the error came inside an answer of status 200.
    """
    names = [code for code in codes if code]
    for name in names:
        if (found := _specific(name, status)) is not None:
            return found
    general = next((BY_TYPE[name] for name in names if name in BY_TYPE), None)
    kind = _of_status(status) if status is not None else general or ServerError
    if general is not None and issubclass(general, kind):
        kind = general  # a 503 of type `overloaded_error`
    if kind in READ_BY_MESSAGE:
        return next((found for pattern, found in BY_MESSAGE if pattern.search(message)), kind)
    return kind


def _specific(name: str, status: int | None) -> ErrorClass | None:
    found = BY_CODE.get(name)
    if found is None:
        return next((kind for pattern, kind in BY_PATTERN if pattern.fullmatch(name)), None)
    # Groq answers 413 with this code where one request alone exceeds the tokens of a minute: it never succeeds.
    return None if status == 413 and found is RateLimitError else found


def _of_status(status: int) -> ErrorClass:
    found = BY_STATUS.get(status)
    if found is None:
        found = InvalidRequestError if 400 <= status < 500 else ServerError
    return found
