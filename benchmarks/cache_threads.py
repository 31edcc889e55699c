"""Threads as people have them: forks, edits, switches, pauses, fallbacks, users, agents with middleware.

Each workload is a program that calls a chat model with `prompt_cache="auto"` at the emulator, through LangChain's
agents and middleware where people use those. The bodies that arrive are then priced under other policies, too
(`cache_policies.py`): what is sent does not depend on the marks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool

from benchmarks.cache_conversations import HOUR, MINUTE, answer, in_blocks, prose, tools
from langchain_unified import ChatAnthropic, ChatOpenAI, PromptCache
from langchain_unified.testing import Emulator

Provider = Literal["anthropic", "openai"]
MODELS: Mapping[Provider, str] = {"anthropic": "claude-sonnet-5", "openai": "gpt-5.6"}
DEEP_AGENTS = find_spec("deepagents") is not None
RULES = 3000
"""Tokens of a system prompt."""


@dataclass(slots=True)
class Stage:
    """Where a workload runs: one emulator, one provider. `made` counts the answers."""

    provider: Provider
    policy: Any = "auto"
    server: Emulator = field(init=False)
    answers: list[Any] = field(default_factory=list)
    made: int = 0
    answers_calls_only: bool = False
    """Whether the scripted answers are for calls with tools: a summary is asked for without."""

    def script(self, request: Any) -> Any:
        """The next scripted answer: what a workload laid ready, else a text."""
        self.made += 1
        if self.answers and (request.tools or not self.answers_calls_only):
            return self.answers.pop(0)
        return answer(f"answer {self.made}", 150)

    def model(self, provider: Provider | None = None, **options: Any) -> Any:
        """A chat model at the emulator, whose pauses are those of the emulator's clock."""
        chosen = provider or self.provider
        fields = {"model": MODELS[chosen], "api_key": "any", "prompt_cache": self.policy, **options}
        if chosen == "anthropic":
            found: Any = ChatAnthropic(base_url=self.server.anthropic_url, **fields)
        else:
            found = ChatOpenAI(base_url=self.server.openai_url, use_responses_api=True, **fields)
        found._current().pauses.clock = lambda: self.server.clock.now
        return found

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.server.clock.advance(seconds)


@dataclass(frozen=True, slots=True)
class Workload:
    """One row. `only`: the providers that have it."""

    title: str
    run: Callable[[Stage], None]
    only: tuple[Provider, ...] = ("anthropic", "openai")


def calls(subject: str, turn: int, count: int = 1) -> dict[str, Any]:
    """An answer with calls of tools."""
    made = [
        {"name": f"shop_tool_{at % 6}", "args": {"query": prose(f"{subject} query {turn} {at}", 20)},
         "id": f"call_{abs(hash_of(subject)) % 10**6}_{turn}_{at}"}
        for at in range(count)
    ]  # fmt: skip
    return {"content": prose(f"{subject} thought {turn}", 25), "tool_calls": made}


def hash_of(text: str) -> int:
    """The same number for a text in every run."""
    return sum(ord(letter) * 31**at for at, letter in enumerate(text))


def results_of(message: AIMessage, subject: str, size: int = 400) -> list[ToolMessage]:
    """The results of an answer's calls."""
    return [
        ToolMessage(prose(f"{subject} result {call['id']}", size), tool_call_id=call["id"])
        for call in message.tool_calls
    ]


def loop(stage: Stage, model: Any, history: list[BaseMessage], subject: str, turns: int, **how: Any) -> None:
    """An agent's calls: `turns` of them, of which the last one answers. `edit` changes only what is sent."""
    edit: Callable[[list[BaseMessage]], list[BaseMessage]] = how.get("edit", list)
    for turn in range(turns):
        stage.answers.append(calls(subject, turn, how.get("count", 1)) if turn < turns - 1 else answer(subject, 150))
        reply = model.invoke(edit(history))
        history.append(reply)
        history.extend(results_of(reply, subject, how.get("size", 400)))
        stage.wait(how.get("seconds", 10.0))


def talk(stage: Stage, model: Any, history: list[BaseMessage], subject: str, turns: int, **how: Any) -> None:
    """Questions and answers."""
    edit: Callable[[list[BaseMessage]], list[BaseMessage]] = how.get("edit", list)
    for turn in range(turns):
        history.append(HumanMessage(prose(f"{subject} question {turn}", how.get("size", 100))))
        history.append(model.invoke(edit(history)))
        stage.wait(how.get("seconds", 30.0))


def rules(subject: str = "rules", tokens: int = RULES) -> SystemMessage:
    return SystemMessage(prose(subject, tokens))


# --- users and agents -------------------------------------------------------------------------------------------------


def block_per_user(stage: Stage) -> None:
    model = stage.model()
    for user in range(12):
        system = SystemMessage([text(prose("rules", RULES)), text(prose(f"user {user} is", 400))])
        talk(stage, model, [system], f"user {user}", 3, seconds=20.0)


def block_per_user_with_tools(stage: Stage) -> None:
    model = stage.model().bind_tools(tools())
    for user in range(8):
        system = SystemMessage([text(prose("rules", RULES)), text(prose(f"user {user} is", 400))])
        loop(stage, model, [system, HumanMessage(prose(f"user {user} asks", 80))], f"user {user}", 3)


def questions_per_user(stage: Stage) -> None:
    model = stage.model()
    for user in range(25):
        system = SystemMessage([text(prose("rules", RULES)), text(prose(f"user {user} is", 400))])
        talk(stage, model, [system], f"user {user}", 1, seconds=20.0)


def tenants(stage: Stage) -> None:
    models, threads = stage.model().bind_tools(tools()), [[rules(f"tenant {at}")] for at in range(3)]
    for turn in range(6):
        for at, thread in enumerate(threads):
            talk(stage, models, thread, f"tenant {at} turn {turn}", 1, seconds=15.0)


def short_agents(stage: Stage) -> None:
    model = stage.model().bind_tools(tools())
    for task in range(10):
        loop(stage, model, [rules(), HumanMessage(prose(f"{task} is the task", 600))], f"task {task}", 2)


def one_call_agents(stage: Stage) -> None:
    model = stage.model().bind_tools(tools())
    for task in range(15):
        loop(stage, model, [rules(), HumanMessage(prose(f"{task} is the task", 100))], f"task {task}", 1)


def long_agent(stage: Stage) -> None:
    loop(stage, stage.model().bind_tools(tools()), [rules(), HumanMessage(prose("the task", 150))], "agent", 40)


def wide_agent(stage: Stage) -> None:
    start = [rules(), HumanMessage(prose("the task", 150))]
    loop(stage, stage.model().bind_tools(tools()), start, "wide", 12, count=12, size=200)


def forks(stage: Stage) -> None:
    model = stage.model().bind_tools(tools())
    history: list[BaseMessage] = [rules(), HumanMessage(prose("the task", 300))]
    for phase in range(4):
        loop(stage, model, history, f"main {phase}", 4)
        for branch in range(3):
            order = HumanMessage(prose(f"{phase} {branch} is your part", 120))
            loop(stage, model, [*history, order], f"fork {phase} {branch}", 3)
        history.append(HumanMessage(prose(f"go on with {phase}", 60)))


def sub_agents(stage: Stage) -> None:
    main, other = stage.model().bind_tools(tools()), stage.model().bind_tools(tools("shop", 4))
    history: list[BaseMessage] = [rules(), HumanMessage(prose("the task", 300))]
    for phase in range(4):
        loop(stage, main, history, f"main {phase}", 3)
        loop(stage, other, [rules("sub"), HumanMessage(prose(f"{phase} is yours", 200))], f"sub {phase}", 4)
        history.append(HumanMessage(prose(f"go on with {phase}", 60)))


def branches(stage: Stage) -> None:
    model = stage.model()
    history: list[BaseMessage] = [rules()]
    talk(stage, model, history, "tree", 5)
    for again in range(6):
        edited = [*history[:-2], HumanMessage(prose(f"{again} other words", 120))]
        talk(stage, model, edited, f"branch {again}", 2)


def regenerate(stage: Stage) -> None:
    model = stage.model()
    history: list[BaseMessage] = [rules()]
    for turn in range(8):
        history.append(HumanMessage(prose(f"question {turn}", 100)))
        for _ in range(2):
            reply = model.invoke(history)
            stage.wait(15.0)
        history.append(reply)


# --- edited threads ---------------------------------------------------------------------------------------------------


def cleared_by_server(stage: Stage) -> None:
    edit = {"type": "clear_tool_uses_20250919", "trigger": {"type": "input_tokens", "value": 8000}}
    model = stage.model(context_management={"edits": [edit]}).bind_tools(tools())
    loop(stage, model, [rules(), HumanMessage(prose("the task", 150))], "cleared", 30)


def cleared_at_least(stage: Stage) -> None:
    edit = {"type": "clear_tool_uses_20250919", "trigger": {"type": "input_tokens", "value": 8000},
            "clear_at_least": {"type": "input_tokens", "value": 3000}}  # fmt: skip
    model = stage.model(context_management={"edits": [edit]}).bind_tools(tools())
    loop(stage, model, [rules(), HumanMessage(prose("the task", 150))], "cleared", 30)


def agent_with(stage: Stage, middleware: Sequence[Any], turns: int, size: int = 400, questions: int = 1) -> None:
    """LangChain's agent with some middleware, on scripted calls of tools."""
    from langchain.agents import create_agent

    stage.answers_calls_only = True
    rules_text = prose("rules", RULES)
    agent = create_agent(stage.model(), [*timed(stage, size)], system_prompt=rules_text, middleware=middleware)
    messages: list[Any] = []
    for question in range(questions):
        stage.answers += [calls(f"agent {question}", turn) for turn in range(turns)]
        stage.answers.append(answer(f"done {question}", 150))
        messages = [*messages, HumanMessage(prose(f"task {question}", 150))]
        messages = agent.invoke({"messages": messages}, {"recursion_limit": 300})["messages"]


def deep_agent(stage: Stage) -> None:
    """An agent of deepagents that hands two tasks on to its sub-agent."""
    from deepagents import create_deep_agent

    stage.answers_calls_only = True
    agent = create_deep_agent(stage.model(), [*timed(stage, 400)], system_prompt=prose("rules", RULES))
    for part in range(2):
        handed = {"description": prose(f"part {part}", 100), "subagent_type": "general-purpose"}
        task = {"name": "task", "args": handed, "id": f"call_task_{part}"}
        stage.answers += [calls(f"main {part}", turn) for turn in range(5)]
        stage.answers.append({"content": "I hand it on.", "tool_calls": [task]})
        stage.answers += [*(calls(f"sub {part}", turn) for turn in range(5)), answer(f"sub {part}", 150)]
    stage.answers.append(answer("done", 150))
    agent.invoke({"messages": [HumanMessage(prose("the task", 150))]}, {"recursion_limit": 300})


def timed(stage: Stage, size: int) -> Sequence[BaseTool]:
    """Tools whose calls take ten seconds."""
    made = tools()

    def run(query: str, region: str = "", limit: int = 10) -> str:
        stage.wait(10.0)
        return prose(f"result of {query}", size)

    for tool in made:
        tool.func = run
    return made


def middleware_clears(stage: Stage) -> None:
    from langchain.agents.middleware import ClearToolUsesEdit, ContextEditingMiddleware

    agent_with(stage, [ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=4000, keep=3)])], 30)


def middleware_summarises(stage: Stage) -> None:
    from langchain.agents.middleware import SummarizationMiddleware

    agent_with(stage, [SummarizationMiddleware(stage.model(), trigger=("tokens", 8000), keep=("messages", 10))], 30)


def sliding_window(stage: Stage) -> None:
    def last_ten(history: list[BaseMessage]) -> list[BaseMessage]:
        return [history[0], *history[1:][-9:]]

    talk(stage, stage.model(), [rules()], "window", 16, edit=last_ten)


def screenshots(stage: Stage) -> None:
    def last_three(history: list[BaseMessage]) -> list[BaseMessage]:
        shown = [at for at, message in enumerate(history) if isinstance(message, ToolMessage)]
        old = set(shown[:-3])
        return [message if at not in old else _without_image(message) for at, message in enumerate(history)]

    model = stage.model().bind_tools(tools())
    history: list[BaseMessage] = [rules(), HumanMessage(prose("the task", 150))]
    for turn in range(25):
        stage.answers.append(calls("screen", turn))
        reply = model.invoke(last_three(history))
        history += [reply, *(_with_image(result, turn) for result in results_of(reply, "screen", 40))]
        stage.wait(10.0)


def _with_image(result: ToolMessage, turn: int) -> ToolMessage:
    image = {"type": "image", "base64": f"iVBORw0KGgo{turn:05d}", "mime_type": "image/png"}
    return result.model_copy(update={"content": [text(str(result.content)), image]})


def _without_image(message: BaseMessage) -> BaseMessage:
    return message.model_copy(update={"content": [*message.content[:1], text("[screenshot removed]")]})


def retrieved(stage: Stage) -> None:
    """Documents stand in the newest question alone."""
    model = stage.model()
    history: list[BaseMessage] = [rules()]
    for turn in range(15):
        question = prose(f"question {turn}", 60)
        asked = in_blocks(prose(f"documents {turn}", 1500), question)
        reply = model.invoke([*history, asked])
        history += [HumanMessage(question), reply]
        stage.wait(30.0)


def reminders(stage: Stage) -> None:
    """A reminder at the end of each call, which is gone in the next."""

    def reminded(history: list[BaseMessage]) -> list[BaseMessage]:
        return [*history, HumanMessage(prose(f"reminder {len(history)}", 60))]

    model = stage.model().bind_tools(tools())
    loop(stage, model, [rules(), HumanMessage(prose("the task", 150))], "reminded", 20, edit=reminded)


# --- switches ---------------------------------------------------------------------------------------------------------

SCHEMA = {"title": "Finding", "type": "object", "properties": {"found": {"type": "string"}}, "required": ["found"],
          "additionalProperties": False}  # fmt: skip


def formats(stage: Stage) -> None:
    model = stage.model()
    history: list[BaseMessage] = [rules()]
    for turn in range(14):
        history.append(HumanMessage(prose(f"question {turn}", 100)))
        form = {"response_format": SCHEMA} if turn % 2 else {}
        stage.answers.append({"content": '{"found": "yes"}'} if turn % 2 else answer(f"answer {turn}", 150))
        history.append(model.invoke(history, **form))
        stage.wait(20.0)


def tool_sets(stage: Stage) -> None:
    sets = [stage.model().bind_tools(tools("shop", count)) for count in (6, 3)]
    history: list[BaseMessage] = [rules()]
    for turn in range(14):
        talk(stage, sets[turn // 2 % 2], history, f"turn {turn}", 1, seconds=20.0)


def efforts(stage: Stage) -> None:
    model = stage.model()
    history: list[BaseMessage] = [rules()]
    for turn in range(14):
        history.append(HumanMessage(prose(f"question {turn}", 100)))
        history.append(model.invoke(history, reasoning_effort="low" if turn // 2 % 2 else "high"))
        stage.wait(20.0)


def fallback(stage: Stage) -> None:
    other: Provider = "openai" if stage.provider == "anthropic" else "anthropic"
    models = {"own": stage.model(), "other": stage.model(other)}
    history: list[BaseMessage] = [rules()]
    for turn in range(16):
        talk(stage, models["other" if 5 <= turn < 9 else "own"], history, f"turn {turn}", 1, size=200)


def flapping(stage: Stage) -> None:
    other: Provider = "openai" if stage.provider == "anthropic" else "anthropic"
    models = [stage.model(), stage.model(other)]
    history: list[BaseMessage] = [rules()]
    for turn in range(16):
        talk(stage, models[turn // 2 % 2], history, f"turn {turn}", 1, size=200)


def fallback_in_agent(stage: Stage) -> None:
    other: Provider = "openai" if stage.provider == "anthropic" else "anthropic"
    own, spare = stage.model().bind_tools(tools()), stage.model(other).bind_tools(tools())
    history: list[BaseMessage] = [rules(), HumanMessage(prose("the task", 150))]
    for turn in range(24):
        stage.answers.append(calls("failing", turn))
        reply = (spare if 8 <= turn < 18 else own).invoke(history)
        history += [reply, *results_of(reply, "failing")]
        stage.wait(5.0)


# --- pauses -----------------------------------------------------------------------------------------------------------


def steady(stage: Stage) -> None:
    talk(stage, stage.model(), [rules()], "steady", 25, seconds=60.0)


def paused_chat(stage: Stage) -> None:
    talk(stage, stage.model(), [rules()], "slow", 16, seconds=12 * MINUTE)


def paused_chats(stage: Stage) -> None:
    model = stage.model()
    for thread in range(4):
        talk(stage, model, [rules()], f"slow {thread}", 6, seconds=12 * MINUTE)


def paused_agent(stage: Stage) -> None:
    model = stage.model().bind_tools(tools())
    history: list[BaseMessage] = [rules()]
    for question in range(7):
        history.append(HumanMessage(prose(f"question {question}", 100)))
        loop(stage, model, history, f"step {question}", 5)
        stage.wait(15 * MINUTE)


def one_pause(stage: Stage) -> None:
    history: list[BaseMessage] = [rules()]
    model = stage.model()
    talk(stage, model, history, "before", 10, seconds=45.0)
    stage.wait(8 * MINUTE)
    talk(stage, model, history, "after", 10, seconds=45.0)


def restored(stage: Stage) -> None:
    history: list[BaseMessage] = [rules()]
    for session in range(4):
        talk(stage, stage.model(), history, f"session {session}", 4, seconds=40.0)
        stage.wait(3 * HOUR)


def bulk(stage: Stage) -> None:
    model = stage.model()
    for item in range(30):
        model.invoke([rules(), HumanMessage(prose(f"{item} to sort", 80))])
        stage.wait(2.0)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


WORKLOADS: Mapping[str, Workload] = {
    "user blocks": Workload("static prompt and a block per user, 12 users of 3 questions", block_per_user),
    "user blocks, tools": Workload("the same with tools, 8 users of 3 calls", block_per_user_with_tools),
    "user blocks, single": Workload("static prompt and a block per user, 25 users of 1 question", questions_per_user),
    "tenants": Workload("3 tenants with prompts of their own, in turn", tenants),
    "short agents": Workload("10 agents of 2 calls, one after the other", short_agents),
    "one-call agents": Workload("15 agents that answer at once", one_call_agents),
    "long agent": Workload("agent of 40 calls", long_agent),
    "wide agent": Workload("agent, 12 turns of 12 parallel calls", wide_agent),
    "forks": Workload("agent whose thread is forked 12 times", forks),
    "sub-agents": Workload("agent and a sub-agent with another prompt, in turn", sub_agents),
    "branches": Workload("chat of 5 turns, its end edited 6 times", branches),
    "regenerated": Workload("chat of 8 turns, each answered twice", regenerate),
    "cleared by the API": Workload("agent of 30 calls, results cleared by the API", cleared_by_server, ("anthropic",)),
    "cleared at least": Workload("the same, at least 3,000 tokens at once", cleared_at_least, ("anthropic",)),
    "cleared by middleware": Workload("create_agent of 31 calls, ContextEditingMiddleware", middleware_clears),
    "summarised": Workload("create_agent of 31 calls, SummarizationMiddleware", middleware_summarises),
    "sliding window": Workload("chat of 16 turns, the last 9 messages are sent", sliding_window),
    "screenshots": Workload("agent of 25 calls, the last three screenshots are kept", screenshots),
    "retrieved": Workload("chat of 15 turns, documents in the newest question only", retrieved),
    "reminders": Workload("agent of 20 calls, a reminder at the end of each", reminders),
    "formats": Workload("chat of 14 turns, every other answer in a format", formats),
    "tool sets": Workload("chat of 14 turns, two sets of tools", tool_sets),
    "efforts": Workload("chat of 14 turns, two efforts", efforts),
    "fallback": Workload("chat of 16 turns, 4 of them by another provider", fallback),
    "flapping": Workload("chat of 16 turns, two providers in turn", flapping),
    "fallback, agent": Workload("agent of 24 calls, 10 of them by another provider", fallback_in_agent),
    "steady": Workload("chat of 25 turns, one a minute", steady),
    "pauses, chat": Workload("chat of 16 turns, 12 minutes apart", paused_chat),
    "pauses, chats": Workload("4 chats of 6 turns, 12 minutes apart", paused_chats),
    "pauses, agent": Workload("agent of 7 questions, 15 minutes apart", paused_agent),
    "one pause": Workload("chat of 20 turns, paused once for 8 minutes", one_pause),
    "restored": Workload("chat of 4 sessions, 3 hours apart", restored),
    "bulk": Workload("30 single calls over one prompt", bulk),
    **({"deep agent": Workload("create_deep_agent of 13 calls, 2 sub-agents of 6", deep_agent)} if DEEP_AGENTS else {}),
}  # fmt: skip
"""By the name of the row. deepagents has an environment of its own: `make test-ecosystem` makes it."""


def policy_without(*switches: str) -> PromptCache:
    """The policy with some of its rules switched off."""
    return PromptCache(**dict.fromkeys(switches, False))
