"""What schemathesis does besides: read from SCHEMATHESIS_HOOKS.

Random ids never meet, so that nothing would ever be found. Half of the requests are therefore given ids of one user and one
conversation, chosen by what is in them: the same seed sends the same.
"""

import json
import os
import urllib.request
import zlib

import schemathesis

WORD = os.environ["SYNAP_CANARY_WORD"]
WHO = {"customer_id": "fuzz", "user_id": "fuzz"}
CONVERSATION = "0b3c7e52-6a0f-4c3d-9a51-3f1d2b7c9e10"
# Levels of the chain: whose memory a write becomes.
LEVELS = [{**WHO}, {"customer_id": "fuzz"}, {}]
# Paths whose body or query names a user, whatever else it names.
OF_A_USER = ("/conversations/", "/context/user/", "/context/conversation/", "/memories/forget", "/events/batch")


# Characters of one value of a query: what does not go into the head of a request is tested elsewhere.
QUERY_VALUE_MAX = 4_000


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value) -> bytes:
    """An import, whatever is in it."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.check
def no_foreign_data(ctx, response, case) -> None:
    """The canary's word is in no answer: no request of the fuzzer names its customer."""
    if case.path == "/v1/admin/export" and "customer_id" not in case.query:
        return  # The operator takes out everybody's.
    if WORD.encode() in response.content:
        raise AssertionError("the answer holds another customer's memory")


def dice(case) -> int:
    """A number that depends on what the case holds, and on nothing else."""
    return zlib.crc32(repr((case.path, case.body, case.query, case.path_parameters)).encode())


def identify(body: dict, path: str, number: int) -> None:
    """Puts ids into a body that the route accepts."""
    level = 0
    if path.endswith(("/client/fetch", "/customer/fetch")):
        level = 2 if "client" in path else 1
    elif not any(part in path for part in OF_A_USER):
        level = number % len(LEVELS)
    for name in ("scope", *WHO):
        body.pop(name, None)
    body.update(LEVELS[level])
    if number % 8 < 6 and ("conversation_id" in body or "/conversations/" in path):
        body["conversation_id"] = CONVERSATION


def newest_memory() -> str | None:
    """The id of a memory of the user whom requests are given."""
    body = json.dumps({**WHO, "response_shape": "ranked", "max_results": 1}).encode()
    request = urllib.request.Request(os.environ["SYNAP_BASE_URL"] + "/v1/context/user/fetch", data=body)
    request.add_header("Authorization", "Bearer " + os.environ["SYNAP_API_KEY"])
    with urllib.request.urlopen(request, timeout=30) as response:
        items = json.load(response)["context"]["items"]
    return items[0]["id"] if items else None


@schemathesis.hook
def before_call(ctx, case, kwargs) -> None:
    """Gives half of the requests ids that exist."""
    for name, value in case.query.items():
        if isinstance(value, str):
            case.query[name] = value[:QUERY_VALUE_MAX]
    number = dice(case)
    if number % 2 == 0:
        return
    number //= 2
    if isinstance(case.body, dict) and "/data/delete" in case.path:
        erase = {"scope": "user", "confirm": WHO["user_id"], "dry_run": number % 32 > 0}
        case.body = {**case.body, **WHO, **erase, "instance_id": None}
    elif isinstance(case.body, dict):
        identify(case.body, case.path, number)
        for entries in ("documents", "messages", "events"):
            nested = case.body.get(entries)
            for entry in nested if isinstance(nested, list) else ():
                if isinstance(entry, dict):
                    identify(entry, case.path, number)
    if "conversation_id" in case.path_parameters:
        case.path_parameters["conversation_id"] = CONVERSATION
        for name in WHO:
            case.query.pop(name, None)
    if "user_id" in case.path_parameters:
        case.path_parameters["user_id"] = WHO["user_id"]
        case.query["customer_id"] = WHO["customer_id"]
    if "memory_id" in case.path_parameters:
        case.path_parameters["memory_id"] = newest_memory() or case.path_parameters["memory_id"]
