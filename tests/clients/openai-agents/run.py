"""OpenAI Agents on synap: the vendor's tools, hooks and input filter, unmodified, with a fake model."""

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from agents import Agent, Model, ModelResponse, Runner, Usage, function_tool, set_tracing_disabled
from maximem_synap import MaximemSynapSDK, SDKConfig
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from synap_openai_agents import SynapRunHooks, create_search_tool, create_store_tool, synap_st_instructions

from support import COMPACTED, Checks, People, Server, anywhere, compact, eventually, run_modes


class FakeModel(Model):
    """Answers with what it was told to, one entry for each call: a text, or a tool's name and arguments."""

    def __init__(self, *answers: str | tuple[str, dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.shown: list[tuple[str | None, Any]] = []

    async def get_response(self, system_instructions: str | None, input: Any, *_: Any, **__: Any) -> ModelResponse:  # noqa: A002 (the framework's name)
        """The next answer."""
        self.shown.append((system_instructions, input))
        answer = self.answers.pop(0)
        name = uuid.uuid4().hex
        if isinstance(answer, str):
            text = ResponseOutputText(type="output_text", text=answer, annotations=[])
            output = ResponseOutputMessage(
                id=name, type="message", role="assistant", status="completed", content=[text]
            )
        else:
            output = ResponseFunctionToolCall(
                type="function_call", call_id=name, name=answer[0], arguments=json.dumps(answer[1])
            )
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        """Not used here."""
        raise NotImplementedError


def tool_outputs(items: Any) -> list[str]:
    """What tools answered, as the model is shown it."""
    return [item["output"] for item in items if isinstance(item, dict) and item.get("type") == "function_call_output"]


async def scenario(mode: str, checks: Checks) -> None:
    """Two agents of two users, two runs of one conversation, and its compaction."""
    server, sdk, who = Server(), MaximemSynapSDK(config=SDKConfig(cache_backend=None)), People()
    await sdk.initialize()
    conversation = str(uuid.uuid4())

    def agent(model: Model, user: str, **options: Any) -> Agent:
        tools = [create_store_tool(sdk, user, who.acme), create_search_tool(sdk, user, who.acme)]
        return Agent("assistant", model=model, tools=[function_tool(tool) for tool in tools], **options)

    hooks = SynapRunHooks(sdk, who.alice, who.acme, conversation)
    model = FakeModel(("store_memory", {"content": "Alice collects Roman coins."}), "I will remember.")
    result = await Runner.run(agent(model, who.alice), "Remember that I collect Roman coins.", **hooks.run_kwargs())
    checks.equal("the run ends with the model's answer", result.final_output, "I will remember.")
    told = tool_outputs(model.shown[1][1])
    checks.equal(
        "what the store tool stored is complete", [server.stored(answer)["status"] for answer in told], ["completed"]
    )

    model = FakeModel(("search_memory", {"query": "Which coins?"}), "Roman ones.")
    await Runner.run(agent(model, who.alice), "What do I collect?", **hooks.run_kwargs())
    told = tool_outputs(model.shown[1][1])
    checks.that("the search tool finds what was stored", anywhere("collects Roman coins", told), told)
    model = FakeModel(("search_memory", {"query": "Which coins?"}), "I do not know.")
    await Runner.run(agent(model, who.bob), "What do I collect?")
    told = tool_outputs(model.shown[1][1])
    checks.that("another user's search does not", bool(told) and not anywhere("Roman", told), told)

    turns = [
        ("user", "Remember that I collect Roman coins."),
        ("assistant", "I will remember."),
        ("user", "What do I collect?"),
        ("assistant", "Roman ones."),
    ]
    seen = await eventually(lambda: server.turns(conversation), lambda seen: len(seen) >= len(turns))
    checks.equal("the hooks record questions and answers in order", seen, turns)
    checks.equal("the stream is open, or not asked for", sdk.instance.is_listening, mode == "stream")

    await compact(checks, server, sdk, conversation, "Roman")
    model = FakeModel("Gladly.")
    earlier = [{"role": role, "content": text} for role, text in turns]
    system = synap_st_instructions(sdk, conversation, system="Be brief.")
    await Runner.run(
        agent(model, who.alice), [*earlier, {"role": "user", "content": "Thank you."}], **hooks.run_kwargs()
    )
    shown = [str(item.get("content")) for item in model.shown[0][1]]
    checks.that("the model is shown the compaction", anywhere(COMPACTED, shown) and anywhere("Roman", shown), shown)
    checks.equal("and the current question last", shown[-1], "Thank you.")
    instructions = await system(None, None)
    checks.that(
        "the instructions hold it, too", COMPACTED in instructions and instructions.endswith("Be brief."), instructions
    )
    await sdk.shutdown()
    turns += [("user", "Thank you."), ("assistant", "Gladly.")]
    checks.equal("each turn is stored once", server.turns(conversation), turns)


def main(words: list[str]) -> int:
    """Without a word, all modes; with one, that mode."""
    if not words:
        return run_modes(__file__, {"stream": {}, "rest": {"SYNAP_AUTO_LISTEN": "false"}})
    set_tracing_disabled(disabled=True)
    checks = Checks(f"openai-agents ({words[0]})")
    asyncio.run(scenario(words[0], checks))
    return checks.result()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
