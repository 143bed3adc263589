"""LangGraph on synap: the vendor's store, callback handler and nodes, unmodified, in graphs with fake models.

The store works only on a server that keeps a document whole and gives its metadata back. Runs with turns on the gRPC
stream and with turns over REST only, each in a process of its own.
"""

import asyncio
import logging
import sys
import uuid
import warnings
from pathlib import Path
from typing import Annotated, Any, TypedDict

sys.path.append(str(Path(__file__).resolve().parents[1]))

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.store.base import BaseStore
from maximem_synap import MaximemSynapSDK, SDKConfig
from synap_langgraph import (
    SynapCheckpointSaver,
    SynapLangGraphCallbackHandler,
    SynapStore,
    create_synap_node,
    create_synap_st_node,
    synap_st_prompt,
)

from support import COMPACTED, Checks, People, Server, Turn, anywhere, b2c_mode, compact, eventually, fresh, run_modes

# Values of a store are JSON: sentences, line breaks, other scripts and nesting must come back as they were.
PROFILE = {
    "name": "Zoë Ångström",
    "notes": "Prefers tea. Dislikes noise!\n\n- first line\n- second line\nUser: not a turn",
    "nested": {"list": [1, 2.5, None, True, {"deep": "値"}], "empty": {}},
    "quote": 'She said "yes".',
}


class Talk(TypedDict, total=False):
    """State of the graphs here."""

    messages: Annotated[list[AnyMessage], add_messages]
    synap_context: str
    synap_st: str
    recalled: list[Any]


async def got(store: BaseStore, namespace: tuple[str, ...], key: str) -> Any:
    """The value of a key, or None."""
    item = await store.aget(namespace, key)
    return item.value if item else None


async def visible(store: BaseStore, namespace: tuple[str, ...], key: str) -> Any:
    """The value of a key that was just put, as soon as it can be read."""
    return await eventually(lambda: got(store, namespace, key), lambda value: value is not None)


# A value of each kind that a server may tell apart: a fact, a preference, an episode, an emotion, a date.
KINDS = {
    "fact": {"text": "The office is in Lisbon."},
    "preference": {"text": "I prefer window seats."},
    "episode": {"text": "Yesterday we met at the station and missed the train."},
    "emotion": {"text": "I am so happy and proud of my sister!"},
    "date": {"text": "The contract ends on 2031-03-01.", "at": "2031-03-01T09:00:00Z"},
}


async def put_and_get(checks: Checks, sdk: MaximemSynapSDK, who: People) -> None:
    """A key's value comes back as it was put, from another store object, and for nobody else."""
    mine = SynapStore(sdk, who.alice, who.acme)
    await mine.aput(("profiles", "eu"), "main", PROFILE)
    await mine.aput(("profiles", "us"), "main", {"name": "Dana"})
    again = SynapStore(sdk, who.alice, who.acme)
    checks.equal("a value comes back whole", await visible(again, ("profiles", "eu"), "main"), PROFILE)
    checks.equal(
        "the same key of another namespace is another value",
        await visible(again, ("profiles", "us"), "main"),
        {"name": "Dana"},
    )
    item = await again.aget(("profiles", "eu"), "main")
    checks.that(
        "an item names its namespace and key",
        bool(item) and (item.namespace, item.key) == (("profiles", "eu"), "main"),
        item,
    )
    checks.equal("a key that was not put is None", await got(again, ("profiles", "eu"), "other"), None)
    for key, value in KINDS.items():
        await mine.aput(("kinds",), key, value)
    await visible(again, ("kinds",), "date")
    seen = {key: await got(again, ("kinds",), key) for key in KINDS}
    checks.equal("a value of any kind comes back", seen, KINDS)
    same = {"text": "The same words under two keys."}
    for key in ("one", "two"):
        await mine.aput(("same",), key, same)
    seen = {key: await visible(again, ("same",), key) for key in ("one", "two")}
    checks.equal("equal values under two keys are both there", seen, {"one": same, "two": same})
    for name, store in {
        "another user": SynapStore(sdk, who.bob, who.acme),
        "another customer": SynapStore(sdk, who.alice, who.other),
        "the customer's shared store": SynapStore(sdk, customer_id=who.acme),
    }.items():
        checks.equal(f"{name} does not get it", await got(store, ("profiles", "eu"), "main"), None)
        seen = [str(found.value) for found in await store.asearch(("profiles",), query="tea and noise")]
        checks.that(f"{name} does not find it", not anywhere("Ångström", seen), seen)


async def many_keys(checks: Checks, sdk: MaximemSynapSDK, who: People) -> None:
    """Each of many similar keys is found again; search narrows by namespace, filter, limit and offset."""
    store = SynapStore(sdk, who.bob, who.acme)
    values = {f"item-{number}": {"text": f"Order {number} is on its way.", "number": number} for number in range(12)}
    for key, value in values.items():
        await store.aput(("orders", "open"), key, value)
    await store.aput(("drinks",), "favourite", {"text": "Bob drinks espresso after lunch."})
    await visible(store, ("drinks",), "favourite")
    seen = {key: await got(store, ("orders", "open"), key) for key in values}
    checks.equal("each of twelve keys has its own value", seen, values)
    found = await store.asearch((), query="espresso after lunch", limit=5)
    checks.equal(
        "the best match of a search is the right item",
        [(item.namespace, item.key) for item in found[:1]],
        [(("drinks",), "favourite")],
    )
    found = await store.asearch(("orders",), query="order on its way", limit=50)
    checks.equal(
        "a search in a namespace finds all of it and nothing else", sorted(item.key for item in found), sorted(values)
    )
    checks.equal("what it finds are the values", {item.key: item.value for item in found}, values)
    found = await store.asearch(("orders", "closed"), query="order on its way", limit=50)
    checks.equal("a namespace without items has none", found, [])
    found = await store.asearch(("orders",), query="order", filter={"lg_store_key": "item-7"}, limit=50)
    checks.equal("a filter on metadata holds", [item.value for item in found], [values["item-7"]])
    checks.that("every item has its vector, where there is a model", await eventually(Server().is_enriched, bool))
    page = [await store.asearch(("orders",), query="order on its way", limit=4, offset=offset) for offset in (0, 4)]
    keys = [item.key for items in page for item in items]
    checks.that("pages of a search do not overlap", len(keys) == len(set(keys)) and len(page[0]) == 4, keys)


async def without_a_counterpart(checks: Checks, sdk: MaximemSynapSDK, who: People) -> None:
    """Delete and list are no operations of this store: they must not fail, and nothing is lost."""
    store = SynapStore(sdk, who.bob, who.acme)
    await store.adelete(("drinks",), "favourite")
    checks.that("a delete is without effect", await got(store, ("drinks",), "favourite") is not None)
    checks.equal("namespaces are not listed", await store.alist_namespaces(prefix=("orders",)), [])


async def shared_store(checks: Checks, sdk: MaximemSynapSDK, who: People) -> None:
    """What a customer's store holds is there for all stores of the customer, and for no other customer."""
    shared = SynapStore(sdk, customer_id=who.acme)
    await shared.aput(("policy",), "refunds", {"days": 30})
    checks.equal(
        "the customer's store holds it",
        await visible(SynapStore(sdk, customer_id=who.acme), ("policy",), "refunds"),
        {"days": 30},
    )
    checks.equal(
        "another customer's does not", await got(SynapStore(sdk, customer_id=who.other), ("policy",), "refunds"), None
    )


async def graph_with_store(checks: Checks, sdk: MaximemSynapSDK, who: People) -> None:
    """A graph's nodes use the store: what one thread puts, another finds."""

    async def remember(state: Talk, *, store: BaseStore) -> Talk:
        text = str(state["messages"][-1].content)
        if text.startswith("Remember: "):
            await store.aput(("notes",), fresh("note"), {"text": text.removeprefix("Remember: ")})
        return {}

    async def recall(state: Talk, *, store: BaseStore) -> Talk:
        found = await store.asearch(("notes",), query=str(state["messages"][-1].content))
        return {"recalled": [item.value for item in found]}

    graph = StateGraph(Talk)
    graph.add_node("remember", remember)
    graph.add_node("recall", recall)
    graph.add_edge(START, "remember")
    graph.add_edge("remember", "recall")
    graph.add_edge("recall", END)

    async def run(user: str, text: str) -> list[Any]:
        app = graph.compile(store=SynapStore(sdk, user, who.acme), checkpointer=InMemorySaver())
        state = await app.ainvoke(
            {"messages": [HumanMessage(text)]}, {"configurable": {"thread_id": str(uuid.uuid4())}}
        )
        return state["recalled"]

    await run(who.alice, "Remember: the boiler was serviced in May.")
    wanted = [{"text": "the boiler was serviced in May."}]
    seen = await eventually(lambda: run(who.alice, "When was the boiler serviced?"), bool)
    checks.equal("another thread of the graph recalls it", seen, wanted)
    checks.that(
        "another user's graph does not",
        not anywhere("boiler", [str(value) for value in await run(who.bob, "When was the boiler serviced?")]),
    )


async def memory_node(checks: Checks, server: Server, sdk: MaximemSynapSDK, who: People) -> None:
    """The node that puts memories into the state."""
    server.remember("Alice is allergic to walnuts.", user=who.alice, customer=who.acme)
    for user, expected in ((who.alice, True), (who.bob, False)):
        graph = StateGraph(Talk)
        graph.add_node("memory", create_synap_node(sdk, user, who.acme))
        graph.add_edge(START, "memory")
        graph.add_edge("memory", END)
        state = await graph.compile().ainvoke({"messages": [HumanMessage("Any allergic reactions?")]})
        whose = "the user's" if expected else "not another's"
        checks.that(
            f"the memory node's context is {whose}",
            ("walnuts" in state["synap_context"]) == expected,
            state["synap_context"],
        )


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"It rains in {city}."


async def recorded_run(checks: Checks, server: Server, sdk: MaximemSynapSDK, who: People) -> tuple[str, list[Turn]]:
    """A graph with a tool loop under the handler. Returns its conversation and the turns of it."""
    conversation = str(uuid.uuid4())
    call = {"name": "weather", "args": {"city": "Bergen"}, "id": "call-1"}
    answers = [AIMessage("Let me look.", tool_calls=[call]), AIMessage("Take an umbrella."), AIMessage("Gladly.")]
    model = GenericFakeChatModel(messages=iter(answers))

    async def ask(state: Talk) -> Talk:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(Talk)
    graph.add_node("ask", ask)
    graph.add_node("tools", ToolNode([weather]))
    graph.add_edge(START, "ask")
    graph.add_conditional_edges("ask", tools_condition)
    graph.add_edge("tools", "ask")
    app = graph.compile(checkpointer=InMemorySaver())
    handler = SynapLangGraphCallbackHandler(sdk, conversation, who.alice, who.acme)
    config = {"callbacks": [handler], "configurable": {"thread_id": conversation}}
    for text in ("I live in Bergen. Will it rain?", "Thank you."):
        await app.ainvoke({"messages": [HumanMessage(text)]}, config)
    turns = [
        ("user", "I live in Bergen. Will it rain?"),
        ("assistant", "Take an umbrella."),
        ("user", "Thank you."),
        ("assistant", "Gladly."),
    ]
    seen = await eventually(lambda: server.turns(conversation), lambda seen: len(seen) >= len(turns))
    checks.equal("a run is one question and one answer, in order; its tool calls are no turns", seen, turns)
    found = await eventually(
        lambda: server.found("user", "live in Bergen", user=who.alice, customer=who.acme),
        lambda seen: anywhere("Bergen", seen),
    )
    checks.that("a turn is found by its user's fetch", anywhere("live in Bergen", found), found)
    found = server.found("user", "live in Bergen", user=who.bob, customer=who.acme)
    checks.that("and not by another user's", not anywhere("Bergen", found), found)
    return conversation, turns


async def compaction(checks: Checks, server: Server, sdk: MaximemSynapSDK, conversation: str) -> None:
    """The compacted conversation in a graph's state and in front of a model."""
    graph = StateGraph(Talk)
    graph.add_node("short", create_synap_st_node(sdk, conversation))
    graph.add_edge(START, "short")
    graph.add_edge("short", END)
    app = graph.compile()
    checks.equal("without a compaction the state has none", (await app.ainvoke({"messages": []}))["synap_st"], "")
    await compact(checks, server, sdk, conversation, "Bergen")
    block = (await app.ainvoke({"messages": []}))["synap_st"]
    checks.that("then the state has the compaction", block.startswith(COMPACTED) and "Bergen" in block, block)
    prompt = synap_st_prompt(sdk, conversation, system="Be brief.")
    earlier = [HumanMessage("I live in Bergen. Will it rain?"), AIMessage("Take an umbrella.")]
    shown = await prompt({"messages": [*earlier, HumanMessage("And in Oslo?")]})
    system, last = str(shown[0].content), shown[-1].content
    checks.that(
        "a model is shown the compaction, then the prompt", COMPACTED in system and system.endswith("Be brief."), shown
    )
    checks.that("and the current question last", last == "And in Oslo?", shown)


async def checkpoints(checks: Checks, server: Server, sdk: MaximemSynapSDK, who: People) -> None:
    """The vendor's deprecated saver, which by its own account cannot restore: never half a state."""
    carol = fresh("carol")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        saver = SynapCheckpointSaver(sdk, carol, who.acme)
    # It logs a trace for every checkpoint that it cannot read.
    logging.getLogger("synap_langgraph.checkpointer").setLevel(logging.CRITICAL)
    graph = StateGraph(Talk)
    graph.add_node("answer", lambda state: {"messages": [AIMessage(f"Message {len(state['messages'])}")]})
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    app = graph.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": str(uuid.uuid4())}}
    state = await app.ainvoke({"messages": [HumanMessage("One")]}, config)
    wanted = ["One", "Message 1"]
    checks.equal("a graph runs with the saver", [message.content for message in state["messages"]], wanted)
    # What was stored before this can be found after it.
    server.remember("The thread has ended.", user=carol, customer=who.acme)
    found = (await app.aget_state(config)).values.get("messages", [])
    contents = [message.content for message in found]
    checks.that("a thread's last state comes back whole or not at all", contents in ([], wanted), contents)
    other = await app.aget_state({"configurable": {"thread_id": str(uuid.uuid4())}})
    checks.equal("another thread has no state", other.values, {})


async def without_customers(checks: Checks) -> None:
    """An instance where a user is the whole identity."""
    sdk, who = MaximemSynapSDK(config=SDKConfig(cache_backend=None)), People()
    await sdk.initialize()
    await SynapStore(sdk, who.alice).aput(("profiles",), "main", PROFILE)
    seen = await visible(SynapStore(sdk, who.alice), ("profiles",), "main")
    checks.equal("a value comes back whole", seen, PROFILE)
    checks.equal("another user does not get it", await got(SynapStore(sdk, who.bob), ("profiles",), "main"), None)
    await sdk.shutdown()


async def scenario(mode: str, checks: Checks) -> None:
    """Everything, in one process."""
    server, sdk, who = Server(), MaximemSynapSDK(config=SDKConfig(cache_backend=None)), People()
    await sdk.initialize()
    await put_and_get(checks, sdk, who)
    await many_keys(checks, sdk, who)
    await without_a_counterpart(checks, sdk, who)
    await shared_store(checks, sdk, who)
    await graph_with_store(checks, sdk, who)
    await memory_node(checks, server, sdk, who)
    conversation, turns = await recorded_run(checks, server, sdk, who)
    await compaction(checks, server, sdk, conversation)
    await checkpoints(checks, server, sdk, who)
    checks.equal("the stream is open, or not asked for", sdk.instance.is_listening, mode == "stream")
    await sdk.shutdown()
    # After the stream has ended, and whatever it sent again with it.
    checks.equal("each turn is stored once", server.turns(conversation), turns)


def main(words: list[str]) -> int:
    """Without a word, all modes; with one, that mode."""
    logging.basicConfig(level=logging.ERROR)
    if not words:
        return run_modes(__file__, {"stream": {}, "rest": {"SYNAP_AUTO_LISTEN": "false"}} | b2c_mode())
    checks = Checks(f"langgraph ({words[0]})")
    asyncio.run(without_customers(checks) if words[0] == "b2c" else scenario(words[0], checks))
    return checks.result()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
