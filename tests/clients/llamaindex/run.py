"""LlamaIndex on synap: the vendor's retriever and chat memory, unmodified, with a mock model."""

import asyncio
import sys
import uuid
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import ChatMessage, MockLLM
from maximem_synap import MaximemSynapSDK, SDKConfig
from synap_llamaindex import SynapChatMemory, SynapRetriever, synap_st_chat_message

from support import COMPACTED, Checks, People, Server, Turn, anywhere, compact, eventually, run_modes


async def scenario(mode: str, checks: Checks) -> None:
    """A chat engine records two turns; they are found, read back and compacted."""
    server, sdk, who = Server(), MaximemSynapSDK(config=SDKConfig(cache_backend=None)), People()
    await sdk.initialize()
    conversation = str(uuid.uuid4())
    stored = server.remember("Alice rows on the lake every Sunday.", user=who.alice, customer=who.acme)

    async def nodes(user: str, customer: str, query: str) -> dict[str, str]:
        found = await SynapRetriever(sdk, user, customer).aretrieve(query)
        return {node.node_id: node.text for node in found}

    seen = await nodes(who.alice, who.acme, "rowing on the lake")
    checks.that("a memory is a node, under its own id", set(stored) <= seen.keys(), seen)
    seen = await nodes(who.bob, who.acme, "rowing on the lake")
    checks.that("another user has none of it", not anywhere("lake", list(seen.values())), seen)

    memory = SynapChatMemory(sdk, conversation, who.alice, who.acme)
    engine = SimpleChatEngine(llm=MockLLM(), memory=memory, prefix_messages=[])
    turns: list[Turn] = []
    for question in ("My boat is called Marit.", "What is my boat called?"):
        answer = await engine.achat(question)
        turns.extend([("user", question), ("assistant", answer.response)])
        wanted = list(turns)
        seen = await eventually(lambda: server.turns(conversation), wanted.__eq__)
    checks.equal("the chat's turns are in the conversation, in order", seen, turns)
    checks.equal("the stream is open, or not asked for", sdk.instance.is_listening, mode == "stream")
    checks.that("the second answer was made with the first turn", "Marit" in turns[-1][1], turns[-1])

    again = SynapChatMemory(sdk, conversation, who.alice, who.acme)
    messages = await again.aget()
    checks.equal(
        "another memory reads them back", [(message.role.value, message.content) for message in messages], turns
    )
    seen = await eventually(
        lambda: nodes(who.alice, who.acme, "boat called Marit"), lambda seen: anywhere("Marit", list(seen.values()))
    )
    checks.that("a turn is found by its user", anywhere("Marit", list(seen.values())), seen)
    seen = await nodes(who.alice, who.other, "boat called Marit")
    checks.that("and not at another customer", not anywhere("Marit", list(seen.values())), seen)

    await compact(checks, server, sdk, conversation, "Marit")
    message = await synap_st_chat_message(sdk, conversation, system="Be brief.")()
    text = (message and message.content) or ""
    checks.that(
        "the system message is the compaction and the prompt", COMPACTED in text and text.endswith("Be brief."), text
    )
    await again.aput(ChatMessage(role="user", content="Thank you."))
    messages = await again.aget()
    head = messages[0].content or ""
    checks.that("the compaction is in place of the earlier turns", COMPACTED in head, messages)
    checks.equal("and the current question last", messages[-1].content, "Thank you.")
    await sdk.shutdown()
    checks.equal("each turn is stored once", server.turns(conversation), [*turns, ("user", "Thank you.")])


def main(words: list[str]) -> int:
    """Without a word, all modes; with one, that mode."""
    if not words:
        return run_modes(__file__, {"stream": {}, "rest": {"SYNAP_AUTO_LISTEN": "false"}})
    checks = Checks(f"llamaindex ({words[0]})")
    asyncio.run(scenario(words[0], checks))
    return checks.result()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
