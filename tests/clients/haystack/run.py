"""Haystack on synap: the vendor's memory store and components, unmodified, in pipelines."""

import sys
import uuid
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from haystack import Pipeline
from haystack.dataclasses import ChatMessage
from maximem_synap import MaximemSynapSDK, SDKConfig
from synap_haystack import (
    SynapMemoryRetriever,
    SynapMemoryStore,
    SynapMemoryWriter,
    SynapRetriever,
    SynapShortTermContext,
)
from synap_integrations_common import run_async

from support import COMPACTED, Checks, People, Server, anywhere, compact, run_modes, soon


def scenario(mode: str, checks: Checks) -> None:
    """A pipeline writes turns, others find them; the store is a chat history, too."""
    server, sdk, who = Server(), MaximemSynapSDK(config=SDKConfig(cache_backend=None)), People()
    run_async(sdk.initialize())
    conversation = str(uuid.uuid4())
    store = SynapMemoryStore(sdk, who.alice, who.acme)

    writing = Pipeline()
    writing.add_component("writer", SynapMemoryWriter(store=store, conversation_id=conversation))
    said = [ChatMessage.from_user("My violin was made in Cremona."), ChatMessage.from_assistant("A fine instrument.")]
    written = writing.run({"writer": {"messages": said}})["writer"]
    checks.equal("the writer writes both messages", (written["written_count"], written["failed_count"]), (2, 0))
    turns = [("user", "My violin was made in Cremona."), ("assistant", "A fine instrument.")]
    seen = soon(lambda: server.turns(conversation), lambda seen: len(seen) >= len(turns))
    checks.equal("they are the turns of the conversation", seen, turns)
    checks.equal("the stream is open, or not asked for", sdk.instance.is_listening, mode == "stream")

    reading = Pipeline()
    reading.add_component("messages", SynapMemoryRetriever(store=store))
    reading.add_component("documents", SynapRetriever(store=store))
    query = "Where was the violin made?"

    def found() -> list[str]:
        return [message.text or "" for message in store.search_memories(query=query)]

    soon(found, lambda seen: anywhere("Cremona", seen))
    answers = reading.run({"messages": {"query": query}, "documents": {"query": query}})
    texts = [message.text or "" for message in answers["messages"]["messages"]]
    checks.that("a turn is found as a message", anywhere("made in Cremona", texts), texts)
    texts = [document.content or "" for document in answers["documents"]["documents"]]
    checks.that("and as a document", anywhere("made in Cremona", texts), texts)
    for name, other in {
        "another user": SynapMemoryStore(sdk, who.bob, who.acme),
        "another customer": SynapMemoryStore(sdk, who.alice, who.other),
    }.items():
        texts = [message.text or "" for message in other.search_memories(query=query)]
        checks.that(f"{name} does not find it", not anywhere("Cremona", texts), texts)

    more = [*store.retrieve_messages(conversation), ChatMessage.from_user("It has four strings.")]
    checks.equal("the history is what was said", [(message.role.value, message.text) for message in more[:-1]], turns)
    checks.equal("only what is new is written", store.write_messages(conversation, more), 1)
    turns.append(("user", "It has four strings."))
    seen = soon(lambda: store.count_messages(conversation), lambda seen: seen >= len(turns))
    checks.equal("the messages are counted", seen, len(turns))

    run_async(compact(checks, server, sdk, conversation, "Cremona"))
    short = SynapShortTermContext(sdk, conversation, system="Be brief.").run()["synap_st"]
    checks.that("the compaction is in front of the prompt", COMPACTED in short and short.endswith("Be brief."), short)
    head = (store.retrieve_messages(conversation) or [ChatMessage.from_system("")])[0]
    checks.that("and at the head of the history", head.role.value == "system" and COMPACTED in (head.text or ""), head)
    run_async(sdk.shutdown())
    checks.equal("each turn is stored once", server.turns(conversation), turns)


def main(words: list[str]) -> int:
    """Without a word, all modes; with one, that mode."""
    if not words:
        return run_modes(__file__, {"stream": {}, "rest": {"SYNAP_AUTO_LISTEN": "false"}})
    checks = Checks(f"haystack ({words[0]})")
    scenario(words[0], checks)
    return checks.result()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
