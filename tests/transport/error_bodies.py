"""Bodies of errors as providers and servers send them, each with its source and the class that it has to become.

`status=None`: the body comes with status 200. Sources: `corpus` is recorded traffic, `sdk` the types of the installed
SDKs, `docs` a provider's documentation; `owner/name#n` is a public report with the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_unified import errors as e


@dataclass(frozen=True)
class Row:
    """One body, and what it has to become."""

    source: str
    provider: str
    status: int | None
    body: Any
    expected: type[e.ProviderError]

    @property
    def id(self) -> str:
        return f"{self.source}-{self.status}-{str(self.body)[:60]}"


def claude(kind: str, message: str = "…", **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **more}}


def spend(code: str) -> dict[str, Any]:
    return claude("rate_limit_error", "The limit is reached.", details={"error_code": code})


def gpt(code: Any, message: str = "…", kind: str | None = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def failed(code: str, message: str = "…") -> dict[str, Any]:
    """A Responses reply that failed."""
    error = {"code": code, "message": message}
    return {"id": "resp_1", "object": "response", "status": "failed", "error": error, "output": []}


def ended(error: Any) -> dict[str, Any]:
    """OpenRouter: an error in a choice."""
    choice = {"index": 0, "message": {"content": ""}, "finish_reason": "error", **({"error": error} if error else {})}
    return {"id": "gen-1", "object": "chat.completion", "choices": [choice]}


def google(code: int, status: str, message: str) -> list[Any]:
    return [{"error": {"code": code, "message": message, "status": status}}]


A, O = "anthropic", "openai"  # noqa: E741 - two columns of a long table

ANTHROPIC = [
    Row("corpus", A, 400, claude("invalid_request_error", "This model does not support effort level 'xhigh'."),
        e.InvalidRequestError),
    Row("corpus", A, 404, claude("not_found_error", "model: claude-sonet-4-5"), e.NotFoundError),
    Row("docs", A, 400, claude("invalid_request_error", "prompt is too long: 213462 tokens > 200000 maximum"),
        e.ContextOverflowError),
    Row("continuedev/continue#8454", A, 400,
        claude("invalid_request_error", "input length and `max_tokens` exceed context limit: 143653 + 64000 > 200000"),
        e.ContextOverflowError),
    Row("docs", A, 400, claude("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
        e.BillingError),
    Row("BerriAI/litellm#37706", A, 400,
        claude("invalid_request_error", "You have reached your specified API usage limits. You exceeded them."),
        e.BillingError),
    Row("docs", A, 401, claude("authentication_error", "invalid x-api-key"), e.AuthenticationError),
    Row("docs", A, 402, claude("billing_error", "Your payment failed"), e.BillingError),
    Row("docs", A, 403, claude("permission_error"), e.PermissionDeniedError),
    Row("docs", A, 409, claude("conflict_error"), e.ConflictError),
    Row("docs", A, 413, claude("request_too_large", "Request exceeds the maximum size"), e.InvalidRequestError),
    Row("docs", A, 429, claude("rate_limit_error", "This request would exceed your rate limit"), e.RateLimitError),
    Row("sdk", A, 429, spend("enforced_spend_limit_reached"), e.BillingError),
    Row("sdk", A, 429, spend("contract_spend_limit_reached"), e.BillingError),
    Row("sdk", A, 429, spend("linked_organization_spend_limit_reached"), e.BillingError),
    Row("sdk", A, 429, spend("linked_organization_billing_unavailable"), e.BillingError),
    Row("sdk", A, 429, spend("ramp_limit_exceeded"), e.RateLimitError),
    Row("sdk", A, 403, claude("permission_error", details={"error_code": "organization_on_hold"}),
        e.PermissionDeniedError),
    Row("sdk", A, 413, claude("request_too_large", details={"error_code": "request_body_too_large_after_decoding"}),
        e.InvalidRequestError),
    Row("docs", A, 500, claude("api_error", "Internal server error"), e.ServerError),
    Row("docs", A, 503, claude("api_error"), e.ServerError),
    Row("docs", A, 504, claude("timeout_error"), e.ServerError),
    Row("docs", A, 529, claude("overloaded_error", "Overloaded"), e.OverloadedError),
    Row("docs", A, 503, claude("overloaded_error", "Overloaded"), e.OverloadedError),
    Row("docs", A, None, claude("overloaded_error", "Overloaded"), e.OverloadedError),
    Row("docs", A, None, claude("api_error", "Internal server error"), e.ServerError),
    Row("docs", A, None, claude("rate_limit_error"), e.RateLimitError),
    Row("docs", A, None, claude("invalid_request_error"), e.InvalidRequestError),
    Row("docs", A, None, claude("authentication_error"), e.AuthenticationError),
    Row("docs", A, None, claude("billing_error"), e.BillingError),
    Row("docs", A, None, claude("permission_error"), e.PermissionDeniedError),
    Row("docs", A, None, claude("not_found_error"), e.NotFoundError),
    Row("docs", A, None, claude("timeout_error"), e.ServerError),
    Row("sdk", A, None, spend("enforced_spend_limit_reached"), e.BillingError),
    # A general type does not outweigh the status.
    Row("langchain_unified", A, 404, claude("api_error"), e.NotFoundError),
    Row("langchain_unified", A, 400, claude("api_error"), e.InvalidRequestError),
    Row("langchain_unified", A, 401, claude("api_error"), e.AuthenticationError),
    Row("langchain_unified", A, 500, claude("invalid_request_error"), e.ServerError),
    # Bedrock and Vertex.
    Row("docs", A, 400, {"message": "Input is too long for requested model."}, e.ContextOverflowError),
    Row("docs", A, 400, {"message": "Too many input tokens. Max input tokens: 8192, request input token count: 9279"},
        e.ContextOverflowError),
    Row("docs", A, 429, {"message": "Too many requests, please wait before trying again."}, e.RateLimitError),
    Row("docs", A, 403, {"Message": "User is not authorized to perform: bedrock:InvokeModel"},
        e.PermissionDeniedError),
    Row("docs", A, None, claude("ThrottlingException", code=429), e.RateLimitError),
    Row("docs", A, None, claude("ServiceUnavailableException", code=503), e.OverloadedError),
    Row("docs", A, None, claude("ValidationException", "Input is too long for requested model.", code=400),
        e.ContextOverflowError),
    Row("docs", A, None, claude("ModelStreamErrorException", code=424), e.InvalidRequestError),
    Row("docs", A, 429, {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}},
        e.RateLimitError),
]  # fmt: skip

OPENAI = [
    Row("corpus", O, 400, gpt("unsupported_value", "'messages[0].role' does not support 'developer'"),
        e.InvalidRequestError),
    Row("corpus", O, 404, gpt("model_not_found", "The model `gpt-5.2-proo` does not exist"), e.NotFoundError),
    Row("corpus", O, 400, gpt("model_not_found", "The requested model 'gpt-5.2-proo' does not exist."),
        e.NotFoundError),
    Row("corpus", O, 400, gpt(None, "Item 'rs_1' of type 'reasoning' was provided without its required item."),
        e.InvalidRequestError),
    Row("docs", O, 400, gpt("context_length_exceeded", "Your input exceeds the context window of this model."),
        e.ContextOverflowError),
    Row("docs", O, 400, gpt(None, "Your input exceeds the context window of this model."), e.ContextOverflowError),
    Row("docs", O, 400, gpt("string_above_max_length"), e.InvalidRequestError),
    Row("docs", O, 400, gpt("content_policy_violation"), e.ContentPolicyError),
    Row("docs", O, 400, gpt("moderation_blocked"), e.ContentPolicyError),
    Row("docs", O, 400, gpt("billing_hard_limit_reached"), e.BillingError),
    Row("docs", O, 401, gpt("invalid_api_key"), e.AuthenticationError),
    Row("docs", O, 403, gpt("unsupported_country_region_territory", kind="request_forbidden"),
        e.PermissionDeniedError),
    Row("docs", O, 429, gpt("rate_limit_exceeded", kind="tokens"), e.RateLimitError),
    Row("docs", O, 429, gpt(None, kind="requests"), e.RateLimitError),
    Row("docs", O, 429, gpt("insufficient_quota", kind="insufficient_quota"), e.BillingError),
    Row("docs", O, 429, gpt("billing_not_active"), e.BillingError),
    Row("docs", O, 500, gpt(None, kind="server_error"), e.ServerError),
    Row("docs", O, 503, gpt("server_overloaded", kind="server_error"), e.OverloadedError),
    Row("docs", O, 503, gpt("slow_down", kind="service_unavailable_error"), e.OverloadedError),
    Row("langchain_unified", O, 400, gpt(None, kind="server_error"), e.InvalidRequestError),
    Row("langchain_unified", O, 400, gpt("server_error", kind="server_error"), e.InvalidRequestError),
    Row("langchain_unified", O, 404, gpt(None, kind="server_error"), e.NotFoundError),
    Row("docs", O, None, gpt("server_error", kind="server_error"), e.ServerError),
    Row("docs", O, None, gpt(None, kind="server_error"), e.ServerError),
    Row("docs", O, None, gpt("rate_limit_exceeded", kind="tokens"), e.RateLimitError),
    # The codes of a failed response: openai.types.responses.ResponseError.
    Row("sdk", O, None, failed("server_error"), e.ServerError),
    Row("sdk", O, None, failed("rate_limit_exceeded"), e.RateLimitError),
    Row("sdk", O, None, failed("invalid_prompt"), e.ContentPolicyError),
    Row("sdk", O, None, failed("data_residency_mismatch"), e.InvalidRequestError),
    Row("sdk", O, None, failed("bio_policy"), e.ContentPolicyError),
    Row("sdk", O, None, failed("misalignment_policy_violation"), e.ContentPolicyError),
    Row("sdk", O, None, failed("vector_store_timeout"), e.ServerError),
    Row("sdk", O, None, failed("invalid_image"), e.InvalidRequestError),
    Row("sdk", O, None, failed("invalid_image_format"), e.InvalidRequestError),
    Row("sdk", O, None, failed("invalid_base64_image"), e.InvalidRequestError),
    Row("sdk", O, None, failed("invalid_image_url"), e.InvalidRequestError),
    Row("sdk", O, None, failed("image_too_large"), e.InvalidRequestError),
    Row("sdk", O, None, failed("image_too_small"), e.InvalidRequestError),
    Row("sdk", O, None, failed("image_parse_error"), e.InvalidRequestError),
    Row("sdk", O, None, failed("image_content_policy_violation"), e.ContentPolicyError),
    Row("sdk", O, None, failed("invalid_image_mode"), e.InvalidRequestError),
    Row("sdk", O, None, failed("image_file_too_large"), e.InvalidRequestError),
    Row("sdk", O, None, failed("unsupported_image_media_type"), e.InvalidRequestError),
    Row("sdk", O, None, failed("empty_image_file"), e.InvalidRequestError),
    Row("sdk", O, None, failed("failed_to_download_image"), e.InvalidRequestError),
    Row("sdk", O, None, failed("image_file_not_found"), e.InvalidRequestError),
    Row("sdk", O, None, failed("context_length_exceeded"), e.ContextOverflowError),
    Row("sdk", O, None, {"id": "r", "object": "response", "status": "failed", "error": None, "output": []},
        e.ServerError),
    # Azure.
    Row("docs", O, 404, {"error": {"code": "DeploymentNotFound", "message": "no deployment"}}, e.NotFoundError),
    Row("docs", O, 404, {"error": {"code": "404", "message": "Resource not found"}}, e.NotFoundError),
    Row("docs", O, 400, gpt("content_filter", "The response was filtered", None), e.ContentPolicyError),
    Row("docs", O, 400, {"error": {"code": None, "message": "filtered",
                                   "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, e.ContentPolicyError),
    Row("docs", O, 400, {"error": {"code": "OperationNotSupported", "message": "not with this model"}},
        e.InvalidRequestError),
    Row("docs", O, 429, {"error": {"code": "RateLimitReached", "message": "slow"}}, e.RateLimitError),
    Row("docs", O, 401, {"statusCode": 401, "message": "Access denied due to invalid subscription key"},
        e.AuthenticationError),
]  # fmt: skip

OVERFLOW = "This model's maximum context length is 65536 tokens. However, you requested 70000 tokens."
SERVERS = [
    # llama.cpp and llama-cpp-python.
    Row("ggml-org/llama.cpp#15780", O, 400,
        {"error": {"code": 400, "message": "too much", "type": "exceed_context_size_error", "n_ctx": 256}},
        e.ContextOverflowError),
    Row("oobabooga/textgen#7257", O, None,
        {"error": {"code": 400, "message": "the request exceeds the available context size. try increasing it",
                   "type": "exceed_context_size_error", "n_prompt_tokens": 14429, "n_ctx": 8192}},
        e.ContextOverflowError),
    Row("ggml-org/llama.cpp#19774", O, 500,
        {"error": {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}},
        e.ContextOverflowError),
    Row("fedora-copr/logdetective-website#193", O, 500,
        {"error": {"message": "Requested tokens (2285) exceed context window of 2048", "type": "internal_server_error",
                   "param": None, "code": None}},
        e.ContextOverflowError),
    Row("ggml-org/llama.cpp", O, 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        e.ServerError),
    # LM Studio.
    Row("lmstudio-ai/lmstudio-bug-tracker#237", O, 400,
        {"error": "Trying to keep the first 15857 tokens when context the overflows. However, the model is"},
        e.ContextOverflowError),
    Row("n4ze3m/page-assist#356", O, None,
        {"error": "Trying to keep the first 6547 tokens when context overflows. However, the model is"},
        e.ContextOverflowError),
    Row("anomalyco/opencode#11141", O, 400, {"error": "Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)"},
        e.ContextOverflowError),
    Row("badlogic/pi-mono", O, 400,
        {"error": "The number of tokens to keep from the initial prompt is greater than the context length."},
        e.ContextOverflowError),
    # vLLM, SGLang and what is made of them.
    Row("llm-d/llm-d-inference-sim#82", O, 400,
        {"object": "error", "message": OVERFLOW, "type": "BadRequestError", "param": None, "code": 400},
        e.ContextOverflowError),
    Row("llm-d/llm-d-inference-sim#82", O, None,
        {"object": "error", "message": OVERFLOW, "type": "BadRequestError", "param": None, "code": 400},
        e.ContextOverflowError),
    Row("vllm-project/vllm", O, 400,
        {"error": {"message": "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum "
                   "context length is 65536 tokens", "type": "BadRequestError", "param": None, "code": 400}},
        e.ContextOverflowError),
    Row("vllm-project/vllm#12165", O, 500,
        {"object": "error", "message": "The prompt (total length 25938) is too long to fit into the model (context "
         "length 4096).", "type": "InternalServerError", "code": 500}, e.ContextOverflowError),
    Row("vllm-project/vllm", O, 404,
        {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404},
        e.NotFoundError),
    Row("vllm-project/vllm", O, None,
        {"object": "error", "message": "boom", "type": "InternalServerError", "param": None, "code": 500},
        e.ServerError),
    Row("vllm-project/vllm", O, None, {"error": {"message": "EngineCore died", "type": "InternalServerError",
                                                 "code": 500}}, e.ServerError),
    Row("vllm-project/vllm", O, 422, {"detail": [{"loc": ["body", "model"], "msg": "field required"}]},
        e.InvalidRequestError),
    # Ollama.
    Row("nano-step/nano-brain#208", O, 400, {"error": "the input length exceeds the context length"},
        e.ContextOverflowError),
    Row("badlogic/pi-mono", O, 400,
        {"error": {"message": "prompt too long; exceeded max context length by 40 tokens", "type": "api_error",
                   "param": None, "code": None}}, e.ContextOverflowError),
    Row("ollama/ollama", O, 404,
        {"error": {"message": "model 'x' not found", "type": "api_error", "param": None, "code": None}},
        e.NotFoundError),
    Row("ollama/ollama", O, 400,
        {"error": {"message": "x does not support tools", "type": "api_error", "param": None, "code": None}},
        e.InvalidRequestError),
    Row("ollama/ollama", O, 500,
        {"error": {"message": "llama runner process has terminated", "type": "api_error", "code": None}},
        e.ServerError),
    Row("ollama/ollama", O, 503, {"error": {"message": "server busy, please try again.", "type": "api_error"}},
        e.ServerError),
    # DashScope.
    Row("QwenLM/qwen-code#98", O, 400,
        gpt("invalid_parameter_error", "<400> InternalError.Algo.InvalidParameter: Range of input length should be "
            "[1, 204800]"), e.ContextOverflowError),
    Row("QwenLM/qwen-code#98", O, None,
        {"code": "InvalidParameter", "message": "Range of input length should be [1, 30720]", "request_id": "r"},
        e.ContextOverflowError),
    Row("docs", O, 400, gpt("data_inspection_failed", "Input data may contain inappropriate content."),
        e.ContentPolicyError),
    Row("docs", O, 400, {"code": "Arrearage", "message": "Access denied, please make sure your account is in good"},
        e.BillingError),
    Row("docs", O, 401, {"code": "InvalidApiKey", "message": "Invalid API-key provided."}, e.AuthenticationError),
    Row("docs", O, 429, {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded"},
        e.RateLimitError),
    Row("docs", O, None, {"code": "Throttling.AllocationQuota", "message": "Allocated quota exceeded"},
        e.RateLimitError),
    Row("docs", O, 429, gpt("limit_requests", "You exceeded your current requests list."), e.RateLimitError),
    # OpenRouter (openrouter.ai/docs/api/errors).
    Row("docs", O, 402, {"error": {"code": 402, "message": "Insufficient credits"}}, e.BillingError),
    Row("docs", O, 403, {"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["violence"]}}},
        e.PermissionDeniedError),
    Row("docs", O, 408, {"error": {"code": 408, "message": "timed out"}}, e.ServerError),
    Row("docs", O, 502, {"error": {"code": 502, "message": "Provider returned error"}}, e.ServerError),
    Row("docs", O, None, {"error": {"code": 429, "message": "Rate limit exceeded"}}, e.RateLimitError),
    Row("docs", O, None, {"error": {"code": 502, "message": "Provider returned error"}}, e.ServerError),
    Row("docs", O, 400, {"error": {"code": 400, "message": "Provider returned error",
                                   "metadata": {"raw": '{"message": "Input is too long for requested model."}'}}},
        e.ContextOverflowError),
    Row("docs", O, 400, {"error": {"code": 400, "message": "This endpoint's maximum context length is 131072 tokens."}},
        e.ContextOverflowError),
    Row("docs", O, None, ended({"code": 502, "message": "Provider disconnected"}), e.ServerError),
    Row("docs", O, None, ended({"code": 429, "message": "Slow down"}), e.RateLimitError),
    Row("docs", O, None, ended(None), e.ServerError),
    # Groq, Together, Mistral, Fireworks, DeepSeek, Moonshot, MiniMax, xAI, Cerebras, GitHub Copilot, z.ai.
    Row("docs", O, 400, gpt("context_length_exceeded", "Please reduce the length of the messages or completion."),
        e.ContextOverflowError),
    Row("docs", O, 413, gpt("rate_limit_exceeded", "Request too large for model: tokens per minute (TPM)", "tokens"),
        e.InvalidRequestError),
    Row("docs", O, 400, gpt("tool_use_failed", "Failed to call a function."), e.InvalidRequestError),
    Row("docs", O, 498, {"error": {"message": "flex tier capacity exceeded", "type": "capacity_exceeded"}},
        e.InvalidRequestError),
    Row("docs", O, 403, {"error": {"message": "`inputs` tokens + `max_new_tokens` must be <= 4097", "type": None}},
        e.ContextOverflowError),
    Row("badlogic/pi-mono", O, 400,
        {"object": "error", "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with "
         "32768 maximum context length", "type": "invalid_request_prompt", "code": "3051"}, e.ContextOverflowError),
    Row("docs", O, 402, {"error": {"message": "Insufficient Balance", "type": "unknown_error",
                                   "code": "invalid_request_error"}}, e.BillingError),
    Row("docs", O, 400, {"error": {"message": OVERFLOW, "type": "invalid_request_error",
                                   "code": "invalid_request_error"}}, e.ContextOverflowError),
    Row("docs", O, 429, {"error": {"message": "busy", "type": "engine_overloaded_error"}}, e.OverloadedError),
    Row("docs", O, 429, {"error": {"message": "pay", "type": "exceeded_current_quota_error"}}, e.BillingError),
    Row("docs", O, 429, {"error": {"message": "slow", "type": "rate_limit_reached_error"}}, e.RateLimitError),
    Row("docs", O, 400, {"error": {"message": "Your request exceeded model token limit: 262144",
                                   "type": "invalid_request_error"}}, e.ContextOverflowError),
    Row("docs", O, None, {"id": "x", "choices": None, "base_resp": {"status_code": 1008,
                                                                   "status_msg": "insufficient balance"}},
        e.BillingError),
    Row("docs", O, None, {"base_resp": {"status_code": 1039, "status_msg": "TPM limit"}}, e.RateLimitError),
    Row("docs", O, None, {"base_resp": {"status_code": 1004, "status_msg": "not authorized"}}, e.AuthenticationError),
    Row("docs", O, 400, gpt(None, "invalid params, context window exceeds limit (2013)"), e.ContextOverflowError),
    Row("docs", O, 400, {"code": "invalid-argument", "error": "This model's maximum prompt length is 131072 but the "
                         "request contains 537812 tokens."}, e.ContextOverflowError),
    Row("docs", O, 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***"},
        e.AuthenticationError),
    Row("docs", O, 400, gpt("model_max_prompt_tokens_exceeded", "prompt token count of 80000 exceeds the limit of 6"),
        e.ContextOverflowError),
    Row("docs", O, 400, gpt("1261", "Prompt exceeds max length"), e.ContextOverflowError),
    # Google's OpenAI-compatible API.
    Row("docs", O, 400, google(400, "INVALID_ARGUMENT", "The input token count (1196265) exceeds the maximum number of "
                               "tokens allowed (1048575)."), e.ContextOverflowError),
    Row("docs", O, 400, google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
        e.AuthenticationError),
    Row("docs", O, 404, google(404, "NOT_FOUND", "models/x is not found"), e.NotFoundError),
    Row("docs", O, 429, google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted"), e.RateLimitError),
    Row("docs", O, 503, google(503, "UNAVAILABLE", "The model is overloaded."), e.OverloadedError),
    # text-generation-inference, Cloudflare, LiteLLM, Databricks.
    Row("docs", O, 422, {"error": "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000",
                         "error_type": "validation"}, e.ContextOverflowError),
    Row("docs", O, None, {"error": "Model is overloaded", "error_type": "overloaded"}, e.OverloadedError),
    Row("docs", O, 429, {"error": "Model is overloaded", "error_type": "overloaded"}, e.RateLimitError),
    Row("docs", O, None, {"success": False, "errors": [{"code": 5007, "message": "No such model"}]}, e.ServerError),
    Row("docs", O, None, {"success": False, "errors": [{"code": 401, "message": "who?"}]}, e.AuthenticationError),
    Row("BerriAI/litellm", O, 400,
        {"error": {"message": "ContextWindowExceededError: maximum context length", "type": None, "code": "400"}},
        e.ContextOverflowError),
    Row("BerriAI/litellm", O, 429,
        {"error": {"message": "No deployments available", "type": "None", "param": "None", "code": "429"}},
        e.RateLimitError),
    Row("docs", O, 403, {"error_code": "PERMISSION_DENIED", "message": "Invalid access token."},
        e.PermissionDeniedError),
    Row("docs", O, 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Endpoint x does not exist."},
        e.NotFoundError),
    Row("tiangolo/fastapi", O, 404, {"detail": "Not Found"}, e.NotFoundError),
    Row("docs", O, None, {"error": "upstream connect error"}, e.ServerError),
    Row("docs", O, None, {"error": True, "message": "quota", "code": "insufficient_quota"}, e.BillingError),
]  # fmt: skip

ROWS = [*ANTHROPIC, *OPENAI, *SERVERS]
