"""The user's profile, erasure with a receipt, caches, credits, and the rest of the SDK's own house."""

import uuid

import pytest
from maximem_synap import ContextNotFoundError, InvalidInputError, MaximemSynapSDK

from harness import Plain, Who, eventually, new_sdk, own_texts, remember, texts


async def test_there_is_no_profile_of_somebody_unknown(sdk: MaximemSynapSDK, who: Who):
    with pytest.raises(ContextNotFoundError):
        await sdk.user.get_profile(who.alice, who.acme)


async def test_a_profile_is_of_one_user_and_hides_nothing_from_queries(both: MaximemSynapSDK, who: Who):
    await remember(both, "My name is Alice Moreau. I live in Oslo. I prefer oolong tea.", **who.as_alice)

    async def look():
        try:
            return await both.user.get_profile(who.alice, who.acme)
        except ContextNotFoundError:
            return None

    profile = await eventually(look, lambda seen: seen is not None)
    assert profile
    told = str(profile.raw)
    assert "oolong" in told
    assert "Oslo" in told
    assert profile.overview or profile.attributes
    for person in (who.as_bob, who.as_stranger):
        with pytest.raises(ContextNotFoundError):
            await both.user.get_profile(**person)
    assert own_texts(await both.user.context.fetch(**who.as_alice, search_query=["tea"]))
    summary = await both.user.context.fetch(**who.as_alice, context_mode="conversation-summary", include_profile=True)
    assert "oolong" in str(summary.profile.raw)


async def stored_for_deletion(sdk: MaximemSynapSDK, who: Who) -> str:
    """Memories and a conversation of Alice, and one memory each of others. Returns the conversation."""
    await remember(sdk, "Alice owns a violin. Alice prefers tea.", **who.as_alice)
    await remember(sdk, "Bob owns a drum.", **who.as_bob)
    await remember(sdk, "Acme owns a stage.", customer_id=who.acme)
    conversation = str(uuid.uuid4())
    await sdk.conversation.record_message(conversation, "user", "The violin is from Cremona.", **who.as_alice)
    return conversation


async def test_a_dry_run_counts_and_changes_nothing(sdk: MaximemSynapSDK, who: Who):
    await stored_for_deletion(sdk, who)
    answer = await sdk.data.delete("user", dry_run=True, **who.as_alice)
    assert answer.status == "dry_run"
    assert answer.found
    assert answer.counts["memories"] >= 3
    assert not answer.fully_removed
    found = own_texts(await sdk.user.context.fetch(**who.as_alice, search_query=["violin"]))
    assert "Alice owns a violin." in found
    nobody = await sdk.data.delete("user", user_id="nobody", customer_id=who.acme, dry_run=True)
    assert not nobody.found


async def test_deleting_a_user_leaves_the_others(both: MaximemSynapSDK, who: Who, plain: Plain):
    conversation = await stored_for_deletion(both, who)
    answer = await both.data.delete("user", confirm=who.alice, **who.as_alice)
    assert answer.status in {"complete", "partial"}
    assert answer.fully_removed == (not answer.still_present_in)
    status = await both.data.status(answer.deletion_id)
    assert (status.deletion_id, status.status, status.counts) == (answer.deletion_id, answer.status, answer.counts)

    async def look():
        return own_texts(await both.user.context.fetch(**who.as_alice, search_query=["violin"]))

    assert await eventually(look, lambda seen: not seen) == []
    assert await plain.turns(conversation) == []
    bob = texts(await both.user.context.fetch(**who.as_bob, search_query=["owns"]))
    assert {"Bob owns a drum.", "Acme owns a stage."} <= set(bob)
    await remember(both, "Alice is back.", **who.as_alice)
    assert own_texts(await both.user.context.fetch(**who.as_alice, search_query=["Alice"])) == ["Alice is back."]


async def test_deleting_a_conversation_removes_its_turns(sdk: MaximemSynapSDK, who: Who, plain: Plain):
    conversation = await stored_for_deletion(sdk, who)
    answer = await sdk.data.delete("conversation", conversation_id=conversation, confirm=conversation, **who.as_alice)
    assert answer.status in {"complete", "partial"}
    assert await plain.turns(conversation) == []
    prompt = await sdk.conversation.context.get_context_for_prompt(conversation)
    assert not prompt.recent_messages
    found = own_texts(await sdk.user.context.fetch(**who.as_alice, search_query=["violin"]))
    assert "Alice owns a violin." in found


async def test_deleting_a_customer_takes_its_users_along(sdk: MaximemSynapSDK, who: Who):
    await stored_for_deletion(sdk, who)
    await remember(sdk, "Globex owns a hall.", customer_id=who.globex)
    answer = await sdk.data.delete("customer", customer_id=who.acme, confirm=who.acme)
    assert answer.status in {"complete", "partial"}

    async def look():
        bob = await sdk.user.context.fetch(**who.as_bob, search_query=["owns"])
        return {"Bob owns a drum.", "Acme owns a stage."} & set(texts(bob))

    assert await eventually(look, lambda seen: not seen) == set()
    assert "Globex owns a hall." in texts(await sdk.customer.context.fetch(who.globex, search_query=["owns"]))


async def test_a_deletion_wants_its_target_twice(sdk: MaximemSynapSDK, who: Who, plain: Plain):
    with pytest.raises(InvalidInputError):
        await sdk.data.delete("user", confirm="somebody else", **who.as_alice)
    body = {"scope": "user", "instance_id": sdk.instance_id, "confirm": who.bob, "dry_run": False, **who.as_alice}
    answer = await plain.ask("POST", "/v1/data/delete", body)
    assert answer.status_code == 400
    assert "confirm" in answer.json()["detail"]
    with pytest.raises(ContextNotFoundError):
        await sdk.data.status(str(uuid.uuid4()))


async def test_the_response_cache_is_the_clients_and_can_be_cleared(who: Who):
    sdk = new_sdk(cache_backend="sqlite")
    await sdk.initialize()
    assert sdk.cache.stats()["enabled"] is True
    await remember(sdk, "Alice prefers oolong tea.", **who.as_alice)
    conversation = str(uuid.uuid4())
    await sdk.conversation.record_message(conversation, "user", "Hello.", **who.as_alice)
    await sdk.conversation.context.get_context_for_prompt(conversation)
    sdk.cache.clear_user(who.alice)
    sdk.cache.clear_customer(who.acme)
    sdk.cache.clear()
    found = await sdk.user.context.fetch(**who.as_alice, search_query=["tea"])
    assert found.metadata.source == "cloud"
    assert "Alice prefers oolong tea." in texts(found)
    await sdk.shutdown()


async def test_a_tool_result_is_kept_on_the_client(sdk: MaximemSynapSDK, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    await sdk.conversation.record_message(conversation, "user", "How is the order?", **who.as_alice)
    sdk.archive_tool_result(conversation, {"order": 4711}, tool_name="orders")
    assert await plain.turns(conversation) == [("user", "How is the order?")]


async def test_nothing_is_anticipated(both: MaximemSynapSDK, who: Who):
    await remember(both, "Alice prefers oolong tea.", **who.as_alice)
    await both.user.context.fetch(**who.as_alice, search_query=["tea"])
    snapshot = both.anticipation_cache_snapshot()
    assert (snapshot["total_entries"], snapshot["total_item_records"]) == (0, 0)


async def test_credits_are_broken_in_this_version_of_the_client_and_unlimited_on_the_server(
    sdk: MaximemSynapSDK, plain: Plain
):
    calls = (
        sdk.credits.get_balance(),
        sdk.credits.get_ledger(),
        sdk.credits.estimate(metric_type="llm_input_tokens", units=1.0),
        sdk.credits.redeem("SYN-0000"),
    )
    for call in calls:
        with pytest.raises(TypeError):
            await call
    balance = await plain.json("GET", "/v1/credits/balance")
    assert balance["client_id"] == sdk._client_id
    assert balance["balance_credits"] > 0
    assert balance["warning_low"] is False
    ledger = await plain.json("GET", "/v1/credits/ledger?limit=10&offset=0")
    assert (ledger["entries"], ledger["total"], ledger["limit"], ledger["offset"]) == ([], 0, 10, 0)
    estimate = await plain.json("POST", "/v1/credits/estimate", {"metric_type": "llm_input_tokens", "units": 1000})
    assert estimate["credits_estimate"] == 0
    assert (await plain.ask("POST", "/v1/credits/redeem", {"code": "SYN-0000"})).status_code < 500
