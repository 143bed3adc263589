"""Fetches: the right memories in the right scope, in order, in every shape, and nobody else's."""

import uuid

import pytest
from maximem_synap import InvalidInputError, MaximemSynapSDK

from harness import OF_EVERY_TYPE, TYPES, Who, fresh, ids, items, new_sdk, remember, text, texts

FETCH_TYPES = {
    "facts": ("facts", "fact"),
    "preferences": ("preferences", "preference"),
    "episodes": ("episodes", "episode"),
    "emotions": ("emotions", "emotion"),
    "temporal_events": ("temporal_events", "temporal_event"),
}


class Chain:
    """The same question has an answer in every scope."""

    def __init__(self, who: Who) -> None:
        self.who = who
        self.word = fresh("walnut").replace("-", "")
        self.user = f"Alice keeps {self.word} cake at home."
        self.customer = f"Acme serves {self.word} cake at noon."
        self.client = f"The {self.word} cake is free for everybody."
        self.others = f"Bob hides {self.word} cake in a drawer.", f"Globex bans {self.word} cake."

    async def store(self, sdk: MaximemSynapSDK) -> None:
        who = self.who
        self.user_id = await remember(sdk, self.user, **who.as_alice)
        self.customer_id = await remember(sdk, self.customer, customer_id=who.acme)
        self.client_id = await remember(sdk, self.client)
        await remember(sdk, self.others[0], **who.as_bob)
        await remember(sdk, self.others[1], customer_id=who.globex)

    def of(self, found: list[str]) -> list[str]:
        """Those that are about the word: the client scope is shared by all tests."""
        return [one for one in found if self.word in one]


@pytest.fixture
async def chain(sdk: MaximemSynapSDK, who: Who) -> Chain:
    chain = Chain(who)
    await chain.store(sdk)
    return chain


async def test_user_fetch_tells_the_chain_narrowest_first(both: MaximemSynapSDK, chain: Chain):
    who = chain.who
    found = await both.user.context.fetch(who.alice, customer_id=who.acme, search_query=[chain.word])
    assert chain.of([text(item) for item in found.facts]) == [chain.user, chain.customer, chain.client]
    assert {*chain.user_id, *chain.customer_id, *chain.client_id} <= ids(found)
    assert found.metadata.source == "cloud"
    assert found.metadata.correlation_id


async def test_each_level_tells_its_own_and_the_broader(sdk: MaximemSynapSDK, chain: Chain):
    who = chain.who
    customer = await sdk.customer.context.fetch(who.acme, search_query=[chain.word])
    assert chain.of(texts(customer)) == [chain.customer, chain.client]
    client = await sdk.client.context.fetch(search_query=[chain.word])
    assert chain.of(texts(client)) == [chain.client]


async def test_ids_are_the_same_in_every_scope_so_that_a_merged_fetch_has_each_once(
    both: MaximemSynapSDK, chain: Chain
):
    who = chain.who
    merged = await both.fetch(**who.as_alice, search_query=[chain.word], scopes=["user", "customer", "client"])
    assert sorted(chain.of([text(item) for item in merged.facts])) == sorted([chain.user, chain.customer, chain.client])
    assert set(merged.scopes_queried) == {"user", "customer", "client"}
    assert {*chain.user_id, *chain.customer_id, *chain.client_id} <= set(merged.scope_map)
    for one in (chain.user, chain.customer, chain.client):
        assert merged.formatted_context.count(one) == 1
    for one in chain.others:
        assert one not in merged.formatted_context


@pytest.mark.parametrize("scopes", [["user"], ["customer"], ["client"], ["user", "client"], None])
async def test_a_merged_fetch_asks_the_scopes_that_were_named(sdk: MaximemSynapSDK, chain: Chain, scopes):
    merged = await sdk.fetch(**chain.who.as_alice, search_query=[chain.word], scopes=scopes, include_scope_labels=True)
    assert set(merged.scopes_queried) == set(scopes or ["user", "customer"])
    told = chain.of([text(item) for item in merged.facts])
    assert (chain.user in told) == (scopes is None or "user" in scopes)
    assert chain.client in told


async def test_another_user_and_another_customer_see_none_of_it(both: MaximemSynapSDK, chain: Chain):
    who = chain.who
    for query in (None, [chain.word], ["Alice keeps cake at home"]):
        for mode in ("fast", "accurate"):
            bob = texts(await both.user.context.fetch(**who.as_bob, search_query=query, mode=mode))
            assert set(chain.of(bob)) <= {chain.others[0], chain.customer, chain.client}
            stranger = texts(await both.user.context.fetch(**who.as_stranger, search_query=query, mode=mode))
            assert set(chain.of(stranger)) <= {chain.others[1], chain.client}


async def test_unknown_names_get_empty_answers(sdk: MaximemSynapSDK):
    user = await sdk.user.context.fetch(fresh("nobody"), customer_id=fresh("nowhere"), types=["preferences"])
    assert texts(user) == []
    customer = await sdk.customer.context.fetch(fresh("nowhere"), types=["emotions"], search_query=["anything"])
    assert texts(customer) == []


async def test_every_type_is_in_its_list_with_its_fields(both: MaximemSynapSDK, who: Who):
    stored = await remember(both, OF_EVERY_TYPE, **who.as_alice)
    found = await both.user.context.fetch(**who.as_alice, search_query=["Alice", "renewal deadline"], max_results=50)
    mine = {name: [item for item in getattr(found, name) if item.id in stored] for name in TYPES}
    assert {name: len(listed) for name, listed in mine.items()} == dict.fromkeys(TYPES, 1)
    assert mine["facts"][0].content == "Alice works at Acme as an engineer."
    assert mine["preferences"][0].content == "Alice prefers oolong tea."
    assert mine["preferences"][0].category
    assert 0 < mine["preferences"][0].strength <= 1
    assert "Oslo" in mine["episodes"][0].summary
    assert mine["emotions"][0].emotion_type
    assert "invoice" in mine["emotions"][0].context
    assert 0 < mine["emotions"][0].intensity <= 1
    assert "2026-12-01" in mine["temporal_events"][0].content


@pytest.mark.parametrize("kind", FETCH_TYPES)
async def test_types_limits_the_answer_in_both_spellings(sdk: MaximemSynapSDK, who: Who, kind: str):
    await remember(sdk, OF_EVERY_TYPE, **who.as_alice)
    for spelling in FETCH_TYPES[kind]:
        found = await sdk.user.context.fetch(**who.as_alice, types=[spelling], search_query=["Alice"], max_results=50)
        assert getattr(found, kind), spelling
        assert all(not getattr(found, other) for other in TYPES if other != kind), spelling


async def test_ranked_is_one_list_best_first_with_the_same_ids(both: MaximemSynapSDK, who: Who):
    stored = await remember(both, OF_EVERY_TYPE, **who.as_alice)
    found = await both.user.context.fetch(
        **who.as_alice, search_query=["oolong tea", "Alice", "deadline"], response_shape="ranked", max_results=50
    )
    assert set(stored) <= {item.id for item in found.items}
    assert [item.rank for item in found.items] == list(range(1, len(found.items) + 1))
    assert {item.category for item in found.items if item.id in stored} == set(TYPES)
    assert set(stored) <= ids(found)
    merged = await both.fetch(**who.as_alice, search_query=["oolong tea"], response_shape="ranked")
    assert merged.items[0].content == "Alice prefers oolong tea."


async def test_max_results_and_max_results_per_query(sdk: MaximemSynapSDK, who: Who):
    for word in ("pears", "plums"):
        for number in range(6):
            await remember(sdk, f"Crate {number} holds {word}.", **who.as_alice)
    few = await sdk.user.context.fetch(**who.as_alice, search_query=["pears"], max_results=3)
    assert len(items(few)) == 3
    assert all("pears" in one for one in texts(few))
    each = await sdk.user.context.fetch(
        **who.as_alice, search_query=["pears", "plums"], max_results=20, max_results_per_query=2
    )
    counts = [sum(word in one for one in texts(each)) for word in ("pears", "plums")]
    assert counts == [2, 2]
    for fetch in (sdk.customer.context.fetch(who.acme, max_results=1), sdk.client.context.fetch(max_results=1)):
        assert len(items(await fetch)) <= 1


@pytest.mark.parametrize("date", ["2023/03/11 (Sat) 21:26", "2023-03-11", "2023-03-11T21:26:00Z", "11 March 2023"])
async def test_query_date_precision_and_mode_are_accepted_at_every_level(sdk: MaximemSynapSDK, who: Who, date: str):
    await remember(sdk, "Alice prefers oolong tea.", **who.as_alice)
    await remember(sdk, "Acme prefers green tea.", customer_id=who.acme)
    words = {"search_query": ["tea"], "query_date": date, "precision_level": "medium", "mode": "accurate"}
    assert "Alice prefers oolong tea." in texts(await sdk.user.context.fetch(**who.as_alice, **words))
    assert "Acme prefers green tea." in texts(await sdk.customer.context.fetch(who.acme, **words))
    await sdk.client.context.fetch(**words)


async def test_a_query_that_is_no_list_is_refused_before_it_is_sent(sdk: MaximemSynapSDK, who: Who):
    with pytest.raises(InvalidInputError):
        await sdk.user.context.fetch(**who.as_alice, search_query="tea")


async def test_as_tool_answers_with_the_scope_it_was_made_for(both: MaximemSynapSDK, chain: Chain):
    who = chain.who
    conversation = str(uuid.uuid4())
    await both.conversation.record_message(conversation, "user", "What is there to eat?", **who.as_alice)
    for scope, wanted in {
        "user": {chain.user, chain.customer, chain.client},
        "customer": {chain.customer, chain.client},
        "client": {chain.client},
        "unified": {chain.user, chain.customer, chain.client},
        "conversation": {chain.user, chain.customer, chain.client},
    }.items():
        named = {"conversation_id": conversation} if scope == "conversation" else {}
        for style in ("openai", "anthropic"):
            tool = both.as_tool(scope=scope, style=style, **who.as_alice, **named)
            assert (tool["function"] if style == "openai" else tool)["name"] == f"synap_fetch_{scope}_context"
            answer = str(await tool["handler"](search_query=[chain.word]))
            assert {one for one in (chain.user, chain.customer, chain.client) if one in answer} == wanted, scope
            assert not any(one in answer for one in chain.others)


async def test_the_controllers_of_the_facade_ask_with_an_empty_list_of_queries(sdk: MaximemSynapSDK, who: Who):
    from maximem_synap.facade import CustomerContextController, UserContextController  # noqa: PLC0415
    from maximem_synap.orchestration.response_handler import ResponseHandler  # noqa: PLC0415

    await remember(sdk, "Alice prefers oolong tea.", **who.as_alice)
    parts = (None, ResponseHandler(), sdk._http_transport, sdk._get_auth_context)
    answer = await UserContextController(*parts).fetch(**who.as_alice)
    assert [item.content for item in answer.preferences] == ["Alice prefers oolong tea."]
    answer = await CustomerContextController(*parts).fetch(who.acme)
    assert answer.preferences == []


async def test_nothing_of_the_client_scope_leaks_between_applications(sdk: MaximemSynapSDK, keys: dict[str, str]):
    word = fresh("quince").replace("-", "")
    await remember(sdk, f"The {word} jam is ours.")
    other = new_sdk(keys["other"])
    await other.initialize()
    assert texts(await other.client.context.fetch(search_query=[word])) == []
    await other.shutdown()
