"""Agno on synap: the vendor's memory database, unmodified."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from agno.db.schemas.memory import UserMemory
from maximem_synap import MaximemSynapSDK, SDKConfig
from synap_agno import SynapDb
from synap_integrations_common import run_async

from support import Checks, People, Server, soon


def scenario(checks: Checks) -> None:
    """Memories are stored, searched, read by id and deleted; each user has their own."""
    server, sdk, who = Server(), MaximemSynapSDK(config=SDKConfig(cache_backend=None)), People()
    run_async(sdk.initialize())
    database = SynapDb(sdk, who.acme)
    chess = UserMemory(memory="Alice plays chess on Thursdays.", user_id=who.alice, topics=["hobbies"])
    pears = UserMemory(memory="Alice is allergic to pears.", user_id=who.alice, topics=["health"])
    database.upsert_memories([chess, pears])

    def texts(user: str, query: str | None = None, db: SynapDb = database, **options: list[str]) -> list[str]:
        # What all customers share is on the way outward, too: not looked at here.
        found = db.get_user_memories(user_id=user, search_content=query, **options)
        return [one.memory for one in found if "Alice" in one.memory]

    wanted = {chess.memory, pears.memory}
    seen = soon(lambda: texts(who.alice), lambda seen: wanted <= set(seen))
    checks.equal("a user's memories are listed", set(seen), wanted)
    checks.equal("the best match of a search is the right one", texts(who.alice, "allergic to fruit")[0], pears.memory)
    checks.equal("topics come back", database.get_all_memory_topics(who.alice), ["health", "hobbies"])
    checks.equal("and narrow a search", texts(who.alice, topics=["hobbies"]), [chess.memory])
    checks.equal("another user has none", texts(who.bob), [])
    checks.equal("nor has the same name at another customer", texts(who.alice, db=SynapDb(sdk, who.other)), [])

    # The id that Agno is told is its own, from the metadata; the server's own id is in a plain fetch.
    body = {"user_id": who.alice, "customer_id": who.acme, "search_query": ["chess"], "max_results": 50}
    context = server.json("POST", "/v1/context/user/fetch", body)["context"]
    ids = {item["content"]: item["id"] for items in context.values() if isinstance(items, list) for item in items}
    one = database.get_user_memory(ids[chess.memory], user_id=who.alice)
    checks.equal("a memory is read by the server's id", one and one.memory, chess.memory)
    checks.equal("an unknown id is none", database.get_user_memory(str(chess.memory_id), user_id=who.alice), None)
    database.delete_user_memories([ids[chess.memory]], user_id=who.alice)
    seen = soon(lambda: texts(who.alice), lambda seen: chess.memory not in seen)
    checks.equal("a deleted memory is gone, the other is not", seen, [pears.memory])
    checks.equal("nor can it be read", database.get_user_memory(ids[chess.memory], user_id=who.alice), None)
    run_async(sdk.shutdown())


def main() -> int:
    """The exit code."""
    checks = Checks("agno")
    scenario(checks)
    return checks.result()


if __name__ == "__main__":
    sys.exit(main())
