"""LiteLLM's keys that are refused, each with what to do instead, and those that mean something else here.

Names and meanings: LiteLLM 1.108.7, docs.litellm.ai/docs/proxy/config_settings.
"""

from __future__ import annotations

from collections.abc import Mapping

_LOGS = "Calls are logged as JSON, counted at /metrics, and traced by gateway_settings.tracing."
_CODE = "The gateway runs no code from its configuration. Put the check in front of it."
_STORE = "There is one store, set by general_settings.database_url."
_USERS = "There are keys with budgets and limits, no users or teams. Make a key for each."

REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "litellm_settings.callbacks",
            "litellm_settings.success_callback",
            "litellm_settings.failure_callback",
            "litellm_settings.service_callback",
            "litellm_settings.langfuse_default_tags",
            "callback_settings",
            "general_settings.alerting",
            "general_settings.alerting_args",
            "general_settings.alert_types",
            "general_settings.alert_to_webhook_url",
            "litellm_settings.turn_off_message_logging",
            "litellm_settings.redact_user_api_key_info",
            "litellm_settings.set_verbose",
            "litellm_settings.json_logs",
            "general_settings.disable_spend_logs",
            "general_settings.store_prompts_in_spend_logs",
        ),
        _LOGS,
    ),
    **dict.fromkeys(
        (
            "guardrails",
            "litellm_settings.guardrails",
            "general_settings.custom_auth",
            "general_settings.custom_sso",
            "litellm_settings.custom_provider_map",
            "general_settings.custom_key_generate",
            "litellm_settings.post_call_rules",
            "prompts",
            "router_settings.custom_routing_strategy",
        ),
        _CODE,
    ),
    **dict.fromkeys(
        (
            "litellm_settings.cache",
            "litellm_settings.cache_params",
            "router_settings.cache_responses",
            "router_settings.cache_kwargs",
        ),
        "Answers are not cached. The providers' prompt caches are used: see litellm_params.prompt_cache.",
    ),
    **dict.fromkeys(
        (
            "general_settings.store_model_in_db",
            "general_settings.database_connection_pool_limit",
            "general_settings.database_connection_timeout",
            "general_settings.use_redis_transaction_buffer",
            "router_settings.redis_host",
            "router_settings.redis_port",
            "router_settings.redis_password",
            "router_settings.redis_url",
            "general_settings.supported_db_objects",
        ),
        _STORE,
    ),
    "general_settings.proxy_batch_write_at": "Spend is written at the end of each call. Remove the key.",
    **dict.fromkeys(
        (
            "general_settings.enable_jwt_auth",
            "general_settings.litellm_jwtauth",
            "general_settings.ui_access_mode",
            "general_settings.enable_oauth2_auth",
            "litellm_settings.default_team_settings",
            "litellm_settings.default_internal_user_params",
            "litellm_settings.max_internal_user_budget",
            "litellm_settings.upperbound_key_generate_params",
            "litellm_settings.max_budget",
            "litellm_settings.budget_duration",
        ),
        _USERS,
    ),
    **dict.fromkeys(
        (
            "general_settings.pass_through_endpoints",
            "mcp_servers",
            "general_settings.mcp_servers",
            "vector_store_registry",
            "search_tools",
            "agent_list",
            "files_settings",
            "finetune_settings",
            "credential_list",
            "assistant_settings",
        ),
        "Chat Completions, Responses and Messages are served, nothing else.",
    ),
    "include": "One file holds the configuration. Put the other file's keys into it.",
    "environment_variables": "Set the variables where the gateway is started.",
    "general_settings.forward_client_headers_to_llm_api": "Where APIs agree, headers go on. Remove the key.",
    "router_settings.optional_pre_call_checks": "rpm and tpm of a deployment are always limits here. Remove the key.",
    "router_settings.enable_pre_call_checks": "The provider refuses it; context_window_fallbacks follow.",
    "general_settings.background_health_checks": "Health checks call no model. Remove the key.",
    "general_settings.health_check_interval": "Health checks call no model. Remove the key.",
    "general_settings.max_parallel_requests": "Set max_parallel_requests of each key.",
    "general_settings.global_max_parallel_requests": "Set max_parallel_requests of each key.",
    "litellm_settings.modify_params": "Histories are repaired where APIs differ. Remove the key.",
    "litellm_settings.telemetry": "There is no telemetry. Remove the key.",
    "litellm_settings.enable_json_schema_validation": "Remove the key: the provider holds the answer to the schema.",
    "litellm_params.custom_llm_provider": "Write the provider before the model: anthropic/… or openai/….",
    "litellm_params.api_version": "Give api_base of Azure's /openai/v1 address, which needs no version.",
    "litellm_params.mock_response": "For tests run `langchain-unified emulate` and give its address as api_base.",
    "litellm_params.litellm_credential_name": "Write api_key: os.environ/NAME.",
    "litellm_params.max_parallel_requests": "Set rpm and tpm of the deployment, or limits of the keys.",
    "litellm_params.input_cost_per_token": "Write it under model_info.",
    "litellm_params.output_cost_per_token": "Write it under model_info.",
    "litellm_params.aws_region_name": "Bedrock is not served, but any OpenAI or Anthropic address is.",
    "litellm_params.vertex_project": "Vertex AI is not served, but any OpenAI or Anthropic address is.",
}
"""By dotted key, without the index in `model_list`."""

APPROXIMATE: Mapping[str, str] = {
    "litellm_params.rpm": "A limit here. LiteLLM uses it as a weight: for that, write weight.",
    "litellm_params.tpm": "A limit here. LiteLLM uses it as a weight: for that, write weight.",
    "litellm_settings.drop_params": "What is left out is named in the response header x-gateway-adjustments.",
    "router_settings.allowed_fails": "Only its own failures count, by endpoint. A sole deployment is always tried.",
    "litellm_settings.allowed_fails": "Only its own failures count, by endpoint. A sole deployment is always tried.",
    "router_settings.cooldown_time": "Holds for the endpoint that failed, not for the whole deployment.",
    "general_settings.allow_requests_on_db_unavailable": "Any key passes then, without limits. Spend is written later.",
    "litellm_settings.request_timeout": "The default is 600 seconds, not 6,000.",
}
"""Keys that are taken, with a meaning that differs from LiteLLM's."""

STRATEGIES = "Deployments are chosen by chance according to weight: remove the key, or write simple-shuffle."
