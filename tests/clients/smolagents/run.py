"""Smolagents on synap: the vendor's tools and step callbacks, unmodified, with a fake model."""

import sys
import uuid
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from maximem_synap import MaximemSynapSDK, SDKConfig
from smolagents import ChatMessage, MessageRole, Model, ToolCallingAgent
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction
from synap_integrations_common import run_async
from synap_smolagents import create_synap_tools, synap_st_instructions, synap_step_callbacks

from support import COMPACTED, Checks, People, Server, anywhere, compact, run_modes, soon


class FakeModel(Model):
    """Calls the tools that it was told to, one for each step."""

    def __init__(self, *calls: tuple[str, dict[str, Any]]) -> None:
        super().__init__(model_id="fake")
        self.calls = list(calls)
        self.shown: list[str] = []

    def generate(self, messages: list[Any], *_: Any, **__: Any) -> ChatMessage:
        """The next tool call."""
        self.shown.append("\n".join(str(message.content) for message in messages))
        name, arguments = self.calls.pop(0)
        function = ChatMessageToolCallFunction(name=name, arguments=arguments)
        call = ChatMessageToolCall(id=uuid.uuid4().hex, type="function", function=function)
        return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=[call])


def scenario(mode: str, checks: Checks) -> None:
    """One agent stores, another finds; questions and answers are recorded, steps are not."""
    server, sdk, who = Server(), MaximemSynapSDK(config=SDKConfig(cache_backend=None)), People()
    run_async(sdk.initialize())
    conversation = str(uuid.uuid4())

    def agent(model: Model, user: str, **options: Any) -> ToolCallingAgent:
        tools = create_synap_tools(sdk, user, customer_id=who.acme)
        return ToolCallingAgent(tools=tools, model=model, verbosity_level=0, **options)

    callbacks = synap_step_callbacks(sdk, who.alice, conversation, customer_id=who.acme)
    model = FakeModel(("store_memory", {"content": "Alice keeps bees."}), ("final_answer", {"answer": "Noted."}))
    answer = agent(model, who.alice, step_callbacks=callbacks).run("Remember that I keep bees.")
    checks.equal("the run ends with the model's answer", answer, "Noted.")

    search = ("search_memory", {"query": "Which animals does Alice keep?"})
    found = soon(
        lambda: server.found("user", "bees", user=who.alice, customer=who.acme),
        lambda seen: anywhere("Alice keeps bees", seen),
    )
    checks.that("what the tool stored is in the user's scope", anywhere("Alice keeps bees", found), found)
    model = FakeModel(search, ("final_answer", {"answer": "Bees."}))
    agent(model, who.alice, step_callbacks=callbacks).run("Which animals do I keep?")
    checks.that("the search tool finds it", "Alice keeps bees" in model.shown[1], model.shown[1])
    model = FakeModel(search, ("final_answer", {"answer": "No idea."}))
    agent(model, who.bob).run("Which animals do I keep?")
    checks.that("another user's does not", "bees" not in model.shown[1], model.shown[1])

    turns = [
        ("user", "Remember that I keep bees."),
        ("assistant", "Noted."),
        ("user", "Which animals do I keep?"),
        ("assistant", "Bees."),
    ]
    seen = soon(lambda: server.turns(conversation), lambda seen: len(seen) >= len(turns))
    checks.equal("questions and answers are recorded in order", seen, turns)
    checks.equal("the stream is open, or not asked for", sdk.instance.is_listening, mode == "stream")
    run_async(compact(checks, server, sdk, conversation, "bees"))
    text = synap_st_instructions(sdk, conversation, instructions="Be brief.")
    checks.that("the instructions hold the compaction", COMPACTED in text and text.endswith("Be brief."), text)
    run_async(sdk.shutdown())
    checks.equal("each turn is stored once", server.turns(conversation), turns)


def main(words: list[str]) -> int:
    """Without a word, all modes; with one, that mode."""
    if not words:
        return run_modes(__file__, {"stream": {}, "rest": {"SYNAP_AUTO_LISTEN": "false"}})
    checks = Checks(f"smolagents ({words[0]})")
    scenario(words[0], checks)
    return checks.result()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
