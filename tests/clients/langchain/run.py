"""LangChain on synap: the vendor's integration, unmodified, with a fake chat model.

Runs in three modes, each in a process of its own: turns on the gRPC stream, turns over REST only, and everything from
synchronous code, as most chains are written. What was stored is then read back over plain HTTP.
"""

import asyncio
import json
import sys
import uuid
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from langchain_core.language_models.chat_models import SimpleChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory
from maximem_synap import MaximemSynapSDK, SDKConfig
from pydantic import Field
from synap_integrations_common import SynapIntegrationError, run_async
from synap_langchain import (
    SynapCallbackHandler,
    SynapChatMessageHistory,
    SynapRetriever,
    SynapSearchTool,
    SynapStoreTool,
    create_synap_node,
    synap_st_message,
    synap_st_runnable,
)

from support import (
    COMPACTED,
    Checks,
    People,
    Server,
    Turn,
    anywhere,
    b2c_mode,
    child,
    compact,
    eventually,
    run_modes,
    soon,
)


class FakeChat(SimpleChatModel):
    """Answers with its turn number and the question, and keeps what it was shown."""

    shown: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _call(self, messages: list[BaseMessage], *_: Any, **__: Any) -> str:
        self.shown.append(list(messages))
        return f"Answer {len(self.shown)} to: {messages[-1].content}"


def said(messages: list[BaseMessage]) -> list[tuple[str, str]]:
    """Messages as (type, content)."""
    return [(message.type, str(message.content)) for message in messages]


def new_sdk() -> MaximemSynapSDK:
    """The SDK without its response cache: each fetch reaches the server."""
    return MaximemSynapSDK(config=SDKConfig(cache_backend=None))


async def tools(checks: Checks, server: Server, sdk: MaximemSynapSDK, who: People) -> list[str]:
    """An agent's two tools. Returns the ids of what was stored."""
    store = SynapStoreTool(sdk=sdk, user_id=who.alice, customer_id=who.acme)
    answer = await store.ainvoke({"content": "Alice prefers oolong tea in the morning."})
    status = server.stored(answer)
    checks.that(
        "what the tool stored became a memory", status["status"] == "completed" and bool(status["memory_ids"]), status
    )

    async def search(user: str, customer: str) -> str:
        tool = SynapSearchTool(sdk=sdk, user_id=user, customer_id=customer)
        return await tool.ainvoke({"query": "Which tea in the morning?"})

    checks.that("the search tool finds it", "oolong tea" in (seen := await search(who.alice, who.acme)), seen)
    checks.that("another user's search does not", "oolong" not in (seen := await search(who.bob, who.acme)), seen)
    checks.that(
        "nor the same name at another customer", "oolong" not in (seen := await search(who.alice, who.other)), seen
    )
    return status["memory_ids"]


async def retriever(checks: Checks, server: Server, sdk: MaximemSynapSDK, who: People, stored: list[str]) -> None:
    """Documents for a retrieval chain, from the user's memories and the customer's."""
    policy = server.remember("Acme serves tea in the canteen until noon.", customer=who.acme)
    documents = await SynapRetriever(sdk=sdk, user_id=who.alice, customer_id=who.acme).ainvoke("tea in the morning")
    found = {document.metadata["id"]: document for document in documents}
    checks.equal("each document is there once", len(found), len(documents))
    checks.that(
        "the user's memory is a document, under the id of its ingestion", set(stored) <= found.keys(), documents
    )
    checks.that("and so is the customer's", set(policy) <= found.keys(), documents)
    if set(stored + policy) <= found.keys():
        checks.that(
            "the text of the user's memory is whole", "oolong" in found[stored[0]].page_content, found[stored[0]]
        )
        narrow = [
            document.metadata["id"]
            for document in documents
            if document.metadata["type"] == found[stored[0]].metadata["type"]
        ]
        checks.equal("the best document of its type is the user's own", narrow[0], stored[0])
    documents = await SynapRetriever(sdk=sdk, user_id=who.bob, customer_id=who.acme).ainvoke("tea in the morning")
    texts = [document.page_content for document in documents]
    checks.that("another user of the customer gets the customer's", anywhere("canteen", texts), texts)
    checks.that("but not the first user's", not anywhere("oolong", texts), texts)


def with_history(model: FakeChat, sdk: MaximemSynapSDK, user: str, customer: str) -> Runnable:
    """A chain whose history is synap's."""
    prompt = ChatPromptTemplate.from_messages(
        [("system", "Be brief."), MessagesPlaceholder("history"), ("human", "{question}")]
    )
    return RunnableWithMessageHistory(
        prompt | model,
        lambda session_id: SynapChatMessageHistory(sdk, session_id, user, customer),
        input_messages_key="question",
        history_messages_key="history",
    )


def check_second_turn(checks: Checks, model: FakeChat, first: str, second: str) -> None:
    """The second time, the model is shown the first turn and its own answer, in order."""
    checks.equal("the first turn has no history", said(model.shown[0]), [("system", "Be brief."), ("human", first)])
    checks.equal(
        "the second turn is shown the first, in order",
        said(model.shown[1]),
        [("system", "Be brief."), ("human", first), ("ai", f"Answer 1 to: {first}"), ("human", second)],
    )


async def history(checks: Checks, server: Server, sdk: MaximemSynapSDK, who: People) -> tuple[str, list[Turn]]:
    """Two turns of a conversation. Returns its id and the turns that must be stored."""
    conversation, model = str(uuid.uuid4()), FakeChat()
    chain = with_history(model, sdk, who.alice, who.acme)
    first, second = "My cat is called Pamuk.", "What is my cat called?"
    config = {"configurable": {"session_id": conversation}}
    await chain.ainvoke({"question": first}, config)
    await eventually(lambda: server.turns(conversation), lambda turns: len(turns) >= 2)
    await chain.ainvoke({"question": second}, config)
    check_second_turn(checks, model, first, second)
    turns = [
        ("user", first),
        ("assistant", f"Answer 1 to: {first}"),
        ("user", second),
        ("assistant", f"Answer 2 to: {second}"),
    ]
    seen = await eventually(lambda: server.turns(conversation), lambda seen: len(seen) >= len(turns))
    checks.equal("the turns are in the conversation", seen, turns)
    return conversation, turns


async def callback(checks: Checks, server: Server, sdk: MaximemSynapSDK, who: People) -> tuple[str, list[Turn]]:
    """A chain that calls a tool, recorded by the handler alone. Returns its conversation and the turns of it."""
    conversation, model = str(uuid.uuid4()), FakeChat()
    handler = SynapCallbackHandler(sdk, conversation, who.alice, who.acme)
    tool = SynapSearchTool(sdk=sdk, user_id=who.alice, customer_id=who.acme)

    async def look_up(text: str) -> str:
        await tool.ainvoke({"query": text}, {"callbacks": [handler]})
        return text

    chain = RunnableLambda(look_up) | model
    questions = ["The parcel weighs nineteen kilograms.", "The parcel is green.", "The parcel is green."]
    for question in questions:
        await chain.ainvoke(question, {"callbacks": [handler]})
    turns = []
    for number, question in enumerate(questions, 1):
        turns += [("user", question), ("assistant", f"Answer {number} to: {question}")]
    seen = await eventually(lambda: server.turns(conversation), lambda seen: len(seen) >= len(turns))
    checks.equal("the handler records questions and answers, a repeated one too, and no tool call", seen, turns)
    return conversation, turns


async def turns_are_found(checks: Checks, server: Server, sdk: MaximemSynapSDK, who: People) -> None:
    """Turns are memories of their user."""

    async def texts(user: str, customer: str) -> list[str]:
        documents = await SynapRetriever(sdk=sdk, user_id=user, customer_id=customer).ainvoke("my cat called Pamuk")
        return [document.page_content for document in documents]

    seen = await eventually(lambda: texts(who.alice, who.acme), lambda seen: anywhere("Pamuk", seen))
    checks.that("a turn is found by the user's retriever", anywhere("called Pamuk", seen), seen)
    checks.that("and not by another user's", not anywhere("Pamuk", seen := await texts(who.bob, who.acme)), seen)
    checks.that("nor at another customer", not anywhere("Pamuk", seen := await texts(who.alice, who.other)), seen)
    seen = server.found("customer", "my cat called Pamuk", customer=who.acme)
    checks.that("nor by the customer's own fetch", not anywhere("Pamuk", seen), seen)
    seen = server.found("client", "my cat called Pamuk")
    checks.that("nor by the client's", not anywhere("Pamuk", seen), seen)


async def nodes(checks: Checks, sdk: MaximemSynapSDK, who: People) -> None:
    """The node for a graph's state."""
    node = create_synap_node(sdk, who.alice, who.acme)
    state = await node({"messages": [HumanMessage("Which tea in the morning?")]})
    checks.that("the node puts memories into the state", "oolong" in state["synap_context"], state)
    state = await create_synap_node(sdk, who.bob, who.acme)({"messages": [HumanMessage("Which tea in the morning?")]})
    checks.that("but not those of another user", "oolong" not in state["synap_context"], state)


async def compaction(
    checks: Checks, server: Server, sdk: MaximemSynapSDK, who: People, conversation: str
) -> list[tuple[str, str]]:
    """The compacted conversation in place of its earlier turns. Returns the turns that this added."""
    checks.equal("without a compaction there is no block", await synap_st_runnable(sdk, conversation).ainvoke({}), "")
    await compact(checks, server, sdk, conversation, "Pamuk")
    block = await synap_st_runnable(sdk, conversation).ainvoke({})
    checks.that("then the block is the compaction", block.startswith(COMPACTED), block)
    checks.that("and tells what was said", "Pamuk" in block, block)
    message = await synap_st_message(sdk, conversation, system="Be brief.")()
    content = str(message.content) if message else ""
    checks.that(
        "the system message holds block and prompt", block in content and content.endswith("Be brief."), content
    )
    memory = SynapChatMessageHistory(sdk, conversation, who.alice, who.acme)
    added = [("user", "Pamuk is three years old."), ("assistant", "Noted.")]
    await memory.aadd_messages([HumanMessage(added[0][1]), AIMessage(added[1][1]), SystemMessage(block)])
    wanted = [("human", added[0][1]), ("ai", added[1][1])]
    seen = await eventually(memory.aget_messages, lambda seen: said(seen)[-2:] == wanted)
    kind, head = said(seen)[0] if seen else ("", "")
    checks.that("the history begins with the compaction", kind == "system" and head.startswith(COMPACTED), said(seen))
    checks.equal("and ends with what was said since", said(seen)[-2:], wanted)
    return added


async def scenario(mode: str, checks: Checks) -> None:
    """Everything, from asynchronous code."""
    server, sdk, who = Server(), new_sdk(), People()
    await sdk.initialize()
    stored = await tools(checks, server, sdk, who)
    await retriever(checks, server, sdk, who, stored)
    conversation, turns = await history(checks, server, sdk, who)
    called, recorded = await callback(checks, server, sdk, who)
    checks.equal("the stream is open, or not asked for", sdk.instance.is_listening, mode == "stream")
    await turns_are_found(checks, server, sdk, who)
    await nodes(checks, sdk, who)
    check_read_back(checks, conversation, who, turns)
    turns += await compaction(checks, server, sdk, who, conversation)
    await sdk.shutdown()
    # After the stream has ended, and whatever it sent again with it.
    checks.equal("each turn of the history is stored once", server.turns(conversation), turns)
    checks.equal("each turn of the handler is stored once", server.turns(called), recorded)


def synchronous(checks: Checks) -> None:
    """The same surfaces from code that has no event loop."""
    server, sdk, who = Server(), new_sdk(), People()
    run_async(sdk.initialize())
    answer = SynapStoreTool(sdk=sdk, user_id=who.alice, customer_id=who.acme).invoke(
        {"content": "Alice plays the oboe."}
    )
    server.stored(answer)
    seen = SynapSearchTool(sdk=sdk, user_id=who.alice, customer_id=who.acme).invoke(
        {"query": "Which instrument does Alice play?"}
    )
    checks.that("the search tool finds what the store tool stored", "oboe" in seen, seen)
    texts = [
        document.page_content
        for document in SynapRetriever(sdk=sdk, user_id=who.alice, customer_id=who.acme).invoke("oboe")
    ]
    checks.that("the retriever finds it", anywhere("oboe", texts), texts)
    conversation, model = str(uuid.uuid4()), FakeChat()
    chain = with_history(model, sdk, who.alice, who.acme)
    first, second = "I live in Trondheim.", "Where do I live?"
    config = {"configurable": {"session_id": conversation}}
    chain.invoke({"question": first}, config)
    soon(lambda: server.turns(conversation), lambda seen: len(seen) >= 2)
    chain.invoke({"question": second}, config)
    check_second_turn(checks, model, first, second)
    checks.that("the stream is open", sdk.instance.is_listening)
    run_async(sdk.shutdown())
    turns = [
        ("user", first),
        ("assistant", f"Answer 1 to: {first}"),
        ("user", second),
        ("assistant", f"Answer 2 to: {second}"),
    ]
    checks.equal("each turn is stored once", server.turns(conversation), turns)


async def without_customers(checks: Checks) -> None:
    """An instance where a user is the whole identity: no customer is needed, and none is accepted."""
    server, sdk, who = Server(), new_sdk(), People()
    await sdk.initialize()
    server.stored(await SynapStoreTool(sdk=sdk, user_id=who.alice).ainvoke({"content": "Alice speaks Basque."}))
    for user, found in ((who.alice, True), (who.bob, False)):
        seen = await SynapSearchTool(sdk=sdk, user_id=user).ainvoke({"query": "Which language does she speak?"})
        checks.equal("the store tool's memory is found by its user only", "Basque" in seen, found)
    conversation, model = str(uuid.uuid4()), FakeChat()
    chain = with_history(model, sdk, who.alice, "")
    first, second = "I live in Bilbao.", "Where do I live?"
    for question in (first, second):
        await chain.ainvoke({"question": question}, {"configurable": {"session_id": conversation}})
        await eventually(lambda: server.turns(conversation), lambda seen: len(seen) >= 2 * len(model.shown))
    check_second_turn(checks, model, first, second)
    for user, found in ((who.alice, True), (who.bob, False)):
        documents = await SynapRetriever(sdk=sdk, user_id=user).ainvoke("live in Bilbao")
        texts = [document.page_content for document in documents]
        checks.equal("a turn is found by its user only", anywhere("Bilbao", texts), found)
    try:
        await SynapStoreTool(sdk=sdk, user_id=who.alice, customer_id=who.acme).ainvoke({"content": "Refused."})
        refused = ""
    except SynapIntegrationError as error:
        refused = str(error)
    checks.that("a customer is refused, by name", "customer_id" in refused, refused)
    await sdk.shutdown()
    checks.equal(
        "each turn is stored once", [role for role, _ in server.turns(conversation)], ["user", "assistant"] * 2
    )


def check_read_back(checks: Checks, conversation: str, who: People, turns: list[tuple[str, str]]) -> None:
    """Another process, with a home of its own, reads the same history: it comes from the server."""
    done = child(__file__, "read", conversation, who.alice, who.acme)
    kinds = {"user": "human", "assistant": "ai"}
    wanted = [[kinds[role], content] for role, content in turns]
    checks.equal("another process reads the same history", json.loads(done.stdout or "null"), wanted)


async def read(conversation: str, user: str, customer: str) -> None:
    """Prints a conversation's history as JSON."""
    sdk = new_sdk()
    await sdk.initialize()
    print(json.dumps(said(await SynapChatMessageHistory(sdk, conversation, user, customer).aget_messages())))
    await sdk.shutdown()


def main(words: list[str]) -> int:
    """Without a word, all modes; with one, that mode."""
    match words:
        case []:
            modes = {"stream": {}, "rest": {"SYNAP_AUTO_LISTEN": "false"}, "sync": {}}
            return run_modes(__file__, modes | b2c_mode())
        case ["read", conversation, user, customer]:
            asyncio.run(read(conversation, user, customer))
            return 0
        case [mode]:
            checks = Checks(f"langchain ({mode})")
            if mode == "sync":
                synchronous(checks)
            elif mode == "b2c":
                asyncio.run(without_customers(checks))
            else:
                asyncio.run(scenario(mode, checks))
            return checks.result()
        case _:
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
