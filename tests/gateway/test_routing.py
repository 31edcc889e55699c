"""The order of deployments, and which are left alone."""

from __future__ import annotations

from collections import Counter

import pytest

from langchain_unified.gateway.deployments import Deployment
from langchain_unified.gateway.refusals import DeploymentLimitError, NoDeploymentError, UnknownPublicModelError
from langchain_unified.gateway.routing import Cooldowns, Router, RoutingRules


def deployment(name: str = "a", host: str = "one", **more: object) -> Deployment:
    return Deployment(name, "anthropic", "claude-opus-5", f"https://{host}.example", "key", **more)  # type: ignore[arg-type]


def firsts(router: Router, count: int = 400) -> Counter[str]:
    return Counter(router.targets("a", "chat")[0].deployment.base_url for _ in range(count))


def test_calls_are_shared_by_weight() -> None:
    router = Router(
        [deployment(host="one", weight=3), deployment(host="two", weight=1), deployment(host="no", weight=0)]
    )
    found = firsts(router)
    assert 0.6 < found["https://one.example"] / 400 < 0.9
    assert "https://no.example" not in found
    assert router.targets("a", "chat")[-1].deployment.base_url == "https://no.example"


def test_a_lower_order_always_comes_first() -> None:
    router = Router([deployment(host="two", order=2, weight=100), deployment(host="one", order=1)])
    assert set(firsts(router, 50)) == {"https://one.example"}


def test_a_failing_deployment_is_left_alone_for_its_endpoint_only() -> None:
    bad, good = deployment(host="bad"), deployment(host="good")
    router = Router([bad, good], RoutingRules(allowed_fails=1, cooldown_seconds=60))
    for _ in range(2):
        router.cooldowns.failed(bad, "messages")
    assert {t.deployment for t in router.targets("a", "messages")} == {good}
    assert {t.deployment for t in router.targets("a", "chat")} == {bad, good}
    for _ in range(2):
        router.cooldowns.failed(good, "messages")
    with pytest.raises(NoDeploymentError) as raised:
        router.targets("a", "messages")
    assert 0 < (raised.value.retry_after or 0) <= 60


def test_a_sole_deployment_is_never_left_alone() -> None:
    only = deployment()
    router = Router([only], RoutingRules(allowed_fails=0, cooldown_seconds=60))
    for _ in range(5):
        router.cooldowns.failed(only, "messages")
    assert len(router.targets("a", "messages")) == 1


def test_failures_are_forgotten_after_a_minute_and_the_rest_after_its_time() -> None:
    now = 0.0
    cooldowns = Cooldowns(RoutingRules(allowed_fails=1, cooldown_seconds=5), clock=lambda: now)
    each = deployment()
    cooldowns.failed(each, "chat")
    now = 61.0
    cooldowns.failed(each, "chat")
    assert cooldowns.wait(each, "chat") == 0
    now = 62.0
    cooldowns.failed(each, "chat")
    assert cooldowns.wait(each, "chat") == 5
    now = 67.5
    assert cooldowns.wait(each, "chat") == 0


def test_rpm_and_tpm_are_limits() -> None:
    small, other = deployment(host="small", rpm=1), deployment(host="other", tpm=10)
    router = Router([small, other])
    router.count_request(small)
    assert {t.deployment for t in router.targets("a", "chat")} == {other}
    router.count_tokens(other, 10)
    with pytest.raises(DeploymentLimitError) as raised:
        router.targets("a", "chat")
    assert 0 < (raised.value.retry_after or 0) <= 60


def test_workers_divide_the_limits() -> None:
    each = deployment(rpm=5)
    router = Router([each])
    router.workers = 2
    for _ in range(2):
        assert router.targets("a", "chat")
        router.count_request(each)
    with pytest.raises(DeploymentLimitError):
        router.targets("a", "chat")


def test_more_workers_than_requests_leave_each_one() -> None:
    router = Router([deployment(rpm=3)])
    router.workers = 8
    assert router.targets("a", "chat")


def test_fallbacks_of_a_name_of_all_names_and_the_default() -> None:
    rules = RoutingRules(
        fallbacks={"a": ("b", "a")}, default_fallbacks=("z",), context_window={"*": ("long",)}, content_policy={}
    )
    assert rules.after("a", "general") == ("b",)
    assert rules.after("other", "general") == ("z",)
    assert rules.after("other", "context_window") == ("long",)
    assert rules.after("other", "content_policy") == ()


def test_an_unknown_name_is_not_served() -> None:
    with pytest.raises(UnknownPublicModelError, match="'nope'"):
        Router([deployment()]).targets("nope", "chat")


def test_labels_never_come_from_clients() -> None:
    router = Router([deployment("claude-*")], RoutingRules(aliases={"mine": "claude-x"}))
    assert router.label("claude-anything") == "claude-*"
    assert router.label("mine") == "claude-*"
    assert router.label("made up") == "unknown"
