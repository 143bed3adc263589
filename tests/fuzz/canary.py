"""The canary: a customer with a word that nobody else has.

    canary.py plant    stores it: a document, a turn, a transcript and a summary
    canary.py find     fails unless its own customer still finds it, and the server is well

Reads SYNAP_BASE_URL, SYNAP_API_KEY, SYNAP_CANARY_ID (of customer, user and conversation) and SYNAP_CANARY_WORD.
"""

import json
import os
import sys
import time
import urllib.request

BASE = os.environ["SYNAP_BASE_URL"]
ID = os.environ["SYNAP_CANARY_ID"]
WORD = os.environ["SYNAP_CANARY_WORD"]
WHO = {"customer_id": ID, "user_id": ID}


def ask(path: str, body: dict | None = None) -> dict:
    """One request; anything but 200 is an error."""
    request = urllib.request.Request(BASE + path, data=None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", "Bearer " + os.environ["SYNAP_API_KEY"])
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def is_found() -> bool:
    """Whether the canary's own customer finds its word."""
    return WORD in json.dumps(ask("/v1/context/user/fetch", {**WHO, "search_query": [WORD]}))


def plant() -> None:
    """Stores the word wherever text goes in, and waits until it can be found. The fuzzer's user gets a profile."""
    text = f"The canary prefers {WORD}."
    ask("/api/v1/memories/create", {**WHO, "document": text, "document_id": WORD, "metadata": {"word": WORD}})
    ask("/api/v1/memories/create", {"customer_id": ID, "document": text})
    turn = {**WHO, "conversation_id": ID, "role": "user", "content": f"I prefer {WORD}. My name is {WORD}."}
    ask("/v1/conversations/messages", turn)
    ask("/v1/conversations/ingest", {**WHO, "conversation_id": f"call-{ID}", "transcript": f"User: I prefer {WORD}."})
    ask("/v1/conversations/compact", {**WHO, "conversation_id": ID})
    fuzzed = {"customer_id": "fuzz", "user_id": "fuzz", "conversation_id": "first", "role": "user"}
    ask("/v1/conversations/messages", {**fuzzed, "content": "My name is Fuzz."})
    for _ in range(300):
        if is_found():
            return
        time.sleep(0.1)
    sys.exit("the canary was stored and cannot be found")


def find() -> None:
    """Fails unless the word is there and the server is well."""
    if not is_found():
        sys.exit("the canary is gone: somebody else took it away")
    health = ask("/health")
    if health["status"] != "ok":
        sys.exit(f"the server is not well: {health}")
    parked = ask("/v1/admin/parked")["parked"]
    if parked:
        sys.exit(f"events were accepted that cannot be applied: {parked}")


if __name__ == "__main__":
    {"plant": plant, "find": find}[sys.argv[1]]()
