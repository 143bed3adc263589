"""Pydantic AI on synap: the vendor's tools, prompts and recorded runs, unmodified, with a fake model."""

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from maximem_synap import MaximemSynapSDK, SDKConfig
from pydantic_ai import Agent, ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from synap_pydantic_ai import SynapDeps, register_synap_st_system_prompt, register_synap_tools, synap_run

from support import COMPACTED, Checks, People, Server, anywhere, compact, eventually, run_modes


class FakeModel:
    """Answers with what it was told to, one entry for each call: a text, or a tool's name and arguments."""

    def __init__(self, *answers: str | tuple[str, dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.shown: list[list[str]] = []

    async def stream(self, messages: list[ModelMessage], _: AgentInfo) -> AsyncIterator[Any]:
        """The next answer, in one piece."""
        parts = [part for message in messages for part in message.parts]
        self.shown.append([str(getattr(part, "content", "")) for part in parts])
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            yield answer
        else:
            yield {0: DeltaToolCall(name=answer[0], json_args=json.dumps(answer[1]), tool_call_id=uuid.uuid4().hex)}


async def scenario(mode: str, checks: Checks) -> None:
    """Two agents of two users, two runs of one conversation, and its compaction."""
    server, sdk, who = Server(), MaximemSynapSDK(config=SDKConfig(cache_backend=None)), People()
    await sdk.initialize()
    conversation = str(uuid.uuid4())

    async def run(model: FakeModel, user: str, prompt: str, conversation_id: str | None) -> str:
        agent = Agent(FunctionModel(stream_function=model.stream), deps_type=SynapDeps)
        register_synap_tools(agent)
        register_synap_st_system_prompt(agent, system="Be brief.")
        deps = SynapDeps(sdk, user, who.acme, conversation_id)
        return (await synap_run(agent, prompt, deps=deps)).output

    model = FakeModel(("store_memory", {"content": "Alice sings alto in a choir."}), "I will remember.")
    output = await run(model, who.alice, "Remember that I sing alto.", conversation)
    checks.equal("the run ends with the model's answer", output, "I will remember.")
    stored = [text for text in model.shown[1] if text.startswith("Memory stored")]
    checks.equal(
        "what the store tool stored is complete", [server.stored(text)["status"] for text in stored], ["completed"]
    )

    search = ("search_memory", {"query": "Which voice does Alice sing?"})
    model = FakeModel(search, "Alto.")
    await run(model, who.alice, "Which voice do I sing?", conversation)
    checks.that("the search tool finds it", anywhere("alto in a choir", model.shown[1][-1:]), model.shown[1])
    context = [text for text in model.shown[0] if text.startswith("Relevant user context")]
    checks.that("the prompt holds it before any search", anywhere("alto in a choir", context), model.shown[0])
    model = FakeModel(search, "No idea.")
    await run(model, who.bob, "Which voice do I sing?", None)
    checks.that("another user's model is not shown it", not anywhere("alto", model.shown[1]), model.shown[1])

    turns = [
        ("user", "Remember that I sing alto."),
        ("assistant", "I will remember."),
        ("user", "Which voice do I sing?"),
        ("assistant", "Alto."),
    ]
    seen = await eventually(lambda: server.turns(conversation), lambda seen: len(seen) >= len(turns))
    checks.equal("questions and answers are recorded in order", seen, turns)
    checks.equal("the stream is open, or not asked for", sdk.instance.is_listening, mode == "stream")
    await compact(checks, server, sdk, conversation, "alto")
    model = FakeModel("Gladly.")
    await run(model, who.alice, "Thank you.", conversation)
    checks.that("the model is shown the compaction", anywhere(COMPACTED, model.shown[0]), model.shown[0])
    await sdk.shutdown()
    turns += [("user", "Thank you."), ("assistant", "Gladly.")]
    checks.equal("each turn is stored once", server.turns(conversation), turns)


def main(words: list[str]) -> int:
    """Without a word, all modes; with one, that mode."""
    if not words:
        return run_modes(__file__, {"stream": {}, "rest": {"SYNAP_AUTO_LISTEN": "false"}})
    checks = Checks(f"pydantic-ai ({words[0]})")
    asyncio.run(scenario(words[0], checks))
    return checks.result()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
