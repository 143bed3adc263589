"""Who is told what: one application, two customers, and memories that belong to a user, a customer or everyone.

Stores a few documents, asks as several people, prints what each was told scope by scope, and checks that it is what
they should be told. Exits with 1 and a list if not.

    python customer_context.py [--base-url URL] [--api-key KEY] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import textwrap
from dataclasses import asdict, dataclass, field
from typing import Any

from synap import ContextItem, ContextResponse, Receipt, ScopeReport, Synap, SynapError

HANDBOOK = """\
# Acme Corp Engineering Handbook

## Development Standards

- All services run on Python 3.11 or later.
- PostgreSQL is the primary database.
- Every pull request (PR) requires two code review approvals.
- CI must pass before merge.

## Deployment Process

- Deployments to staging: any time.
- Deployments to production: Tuesdays and Thursdays, 10am-2pm PT.
- Hotfix deployments require approval by the VP Engineering.
- Automatic rollback if the error rate exceeds 1%.

## Team Structure

- Platform Team: 8 engineers; infrastructure, CI/CD and observability.
- Product Team: 12 engineers.
- Data Team: 5 engineers.
"""


@dataclass(frozen=True)
class Who:
    """Somebody who owns memories and asks for them: a user, a customer, or (without ids) the application."""

    customer_id: str | None = None
    user_id: str | None = None

    def path(self) -> dict[str, str]:
        """The ids as receipts and items echo them."""
        ids = {"customer": self.customer_id, "user": self.user_id}
        return {level: level_id for level, level_id in ids.items() if level_id is not None}

    def scope(self) -> str:
        """The scope that a write with these ids belongs to."""
        return list(self.path())[-1] if self.path() else "client"


APPLICATION = Who()
ACME = Who("acme_corp")
ALICE, BOB, CAROL = Who("acme_corp", "user_alice"), Who("acme_corp", "user_bob"), Who("acme_corp", "user_carol")
# The same user_id under another customer is another person.
OUTSIDER = Who("globex", "user_alice")
# Customers whose ids look like acme_corp's are others, too.
LOOKALIKES = ["acme", "acme_corp ", "ACME_CORP", "acme_corp/user_alice", "acme_corp.user_alice"]

SEED = [
    (ACME, HANDBOOK),
    (ACME, "Sprint planning: migrating auth service to OAuth 2.1 by end of Q2."),
    (ACME, "Acme Corp uses Slack for internal communication"),
    (ACME, "Acme Corp's fiscal year runs April to March"),
    (ACME, "Engineering team OKRs for Q2: migrate to microservices"),
    (ALICE, "Alice deployed the billing service last Tuesday"),
    (APPLICATION, "Blue-green deployment support available"),
    (APPLICATION, "Our API supports pagination via cursor"),
]

DEPLOY = "when can I deploy to production"
PROJECTS = "current engineering projects"
PRIORITIES = "team priorities this quarter"
FISCAL = "When does our fiscal year end?"
ABOUT_ALICE = "what did Alice deploy last Tuesday"

# Pieces of text by which the memories that matter are known.
BILLING, WINDOW, BLUE_GREEN = "billing service", "Tuesdays and Thursdays", "Blue-green deployment"
OAUTH, APRIL, CURSOR = "OAuth 2.1", "April to March", "pagination via cursor"

SCOPES = ["user", "customer", "client"]
WIDTH = 100


@dataclass
class Answer:
    """What somebody was told."""

    title: str
    asked: str
    context: ContextResponse
    #: Why it holds nothing else, in words.
    why_nothing_else: str


@dataclass
class Check:
    """Something that was expected, and whether it came."""

    expected: str
    times: int = 0
    #: What came instead, if it did not come.
    failed: list[str] = field(default_factory=list)


@dataclass
class Report:
    """What was stored, what everybody was told, and what of it was expected."""

    receipts: list[Receipt] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)

    @property
    def failures(self) -> list[str]:
        """The expectations that did not hold, as sentences."""
        return [f"{check.expected}; found: {found}" for check in self.checks.values() for found in check.failed]

    def expect(self, expected: str, held: bool, found: str) -> None:
        """Notes an expectation. Several of the same name hold when each of them does."""
        check = self.checks.setdefault(expected, Check(expected))
        check.times += 1
        if not held:
            check.failed.append(found)


@dataclass
class Told:
    """Asks the server as somebody, and checks what holds for every answer."""

    sdk: Synap
    report: Report

    async def items(
        self, who: Who, query: str | None = None, *, max_results: int = 10, max_tokens: int | None = None
    ) -> list[ContextItem]:
        """What `who` is told."""
        return (await self.context(who, query, max_results, max_tokens)).all_items()

    async def shown(
        self, who: Who, query: str, title: str, why: str, max_tokens: int | None = None
    ) -> list[ContextItem]:
        """What `who` is told, put into the report for its readers."""
        context = await self.context(who, query, 10, max_tokens)
        asked = query if max_tokens is None else f"{query}   (with room for {max_tokens} tokens)"
        self.report.answers.append(Answer(title, asked, context, why))
        return context.all_items()

    async def context(self, who: Who, query: str | None, max_results: int, max_tokens: int | None) -> ContextResponse:
        """The whole answer."""
        if who.user_id is None:
            fetched = await self.sdk.customer.context.fetch(
                customer_id=who.customer_id, search_query=query, max_results=max_results, max_tokens=max_tokens
            )
        else:
            fetched = await self.sdk.user.context.fetch(
                user_id=who.user_id,
                customer_id=who.customer_id,
                search_query=query,
                max_results=max_results,
                max_tokens=max_tokens,
            )
        self.check(who, fetched)
        return fetched

    def check(self, who: Who, context: ContextResponse) -> None:
        """Notes what holds for every answer."""
        items = context.all_items()
        found = f"{_name(who)} got {_told(items)}"
        paths = {"user": who.path(), "customer": Who(who.customer_id).path(), "client": {}}
        mine = [item for item in items if item.scope in paths and item.scope_path == paths[item.scope]]
        self.report.expect("every item says its scope, and it is one of those that were asked", mine == items, found)
        places = [SCOPES.index(item.scope) for item in mine]
        self.report.expect("items stand narrowest scope first", places == sorted(places), found)
        self.report.expect("no answer is stale", not context.stale, f"that for {_name(who)} is")


async def run(sdk: Synap) -> Report:
    """The whole scenario. It may be run again on the same server: a document that is there is not stored twice."""
    report = Report()
    await store(sdk, report)
    told = Told(sdk, report)
    await ask_as_alice(sdk, told)
    await ask_as_bob_and_carol(told)
    await ask_as_customer(told)
    await ask_as_outsiders(told)
    await ask_with_budgets(told)
    return report


async def store(sdk: Synap, report: Report) -> None:
    """Stores the documents and waits until they can be read. The ids say whose memory each becomes."""
    for who, text in SEED:
        receipt = await sdk.memories.create(
            document=text, document_type="document", customer_id=who.customer_id, user_id=who.user_id
        )
        right = (receipt.scope, receipt.scope_path) == (who.scope(), who.path())
        report.expect("receipts say what scope was written", right, f"{_name(who)} got {receipt.scope_path}")
        report.receipts.append(receipt)
    for receipt in report.receipts:
        await sdk.memories.wait_for_completion(receipt, timeout=60)


async def ask_as_alice(sdk: Synap, told: Told) -> None:
    """Her own memory comes first, then her customer's, then the application's."""
    context = await sdk.user.context.fetch(user_id="user_alice", customer_id="acme_corp", search_query=[DEPLOY])
    told.check(ALICE, context)
    why = "Alice's fetch reads these three scopes and no others: no other user's, and nothing of another customer."
    told.report.answers.append(Answer("Alice, user_alice of acme_corp", DEPLOY, context, why))
    items = context.all_items()
    order = [_place(items, text) for text in (BILLING, WINDOW, BLUE_GREEN)]
    places = [place for place in order if place is not None]
    told.report.expect(
        "alice is told, in this order: her own deployment, acme_corp's production window, the blue-green note",
        len(places) == len(order) and places == sorted(places),
        _told(items),
    )
    told.report.expect("alice is told her own memory first of all", _scopes(items)[:1] == ["user"], _told(items))
    ranked = await sdk.user.context.fetch(
        user_id="user_alice", customer_id="acme_corp", search_query=[DEPLOY], response_shape="ranked"
    )
    same = [item.id for item in ranked.items] == [item.id for item in items]
    told.report.expect("the ranked list stands in the same order", same, _told(ranked.items))


async def ask_as_bob_and_carol(told: Told) -> None:
    """Colleagues see what their customer knows, and nothing of Alice's."""
    for name, who, question, wanted in (
        ("Bob", BOB, PROJECTS, OAUTH),
        ("Carol", CAROL, PRIORITIES, OAUTH),
        ("Bob", BOB, FISCAL, APRIL),
    ):
        why = f"Alice's deployment is USER user_alice's, and {name}'s fetch reads {who.user_id} instead."
        items = await told.shown(who, question, f"{name}, {who.user_id} of acme_corp", why)
        found = any(wanted in item.content and item.scope == "customer" for item in items)
        told.report.expect(f"{name.lower()} asks {question!r} and is told of {wanted}", found, _told(items))
    for name, who in (("bob", BOB), ("carol", CAROL)):
        for query in (DEPLOY, PROJECTS, PRIORITIES, FISCAL, ABOUT_ALICE, None):
            items = await told.items(who, query, max_results=100)
            hers = any(item.scope == "user" or BILLING in item.content for item in items)
            told.report.expect(f"{name} never sees alice's memory", not hers, _told(items))


async def ask_as_customer(told: Told) -> None:
    """A fetch for the customer reads no user's memories."""
    why = "No user's memories at all: a fetch for a customer begins at CUSTOMER."
    items = await told.shown(ACME, ABOUT_ALICE, "acme_corp itself (a fetch for the customer)", why)
    items += await told.items(ACME, max_results=100)
    hers = any(item.scope == "user" or BILLING in item.content for item in items)
    told.report.expect("the fetch for the customer returns no user's memory", not hers, _told(items))
    told.report.expect("the fetch for the customer returns the customer's", "customer" in _scopes(items), _told(items))


async def ask_as_outsiders(told: Told) -> None:
    """Another customer's user sees the application's own memories alone, however he asks."""
    why = (
        "The user_id is Alice's, but the customer is another, so this is another person. What he is told is everyone's."
    )
    items = await told.shown(OUTSIDER, DEPLOY, "An outsider, user_alice of globex", why)
    noted = _place(items, BLUE_GREEN) is not None
    told.report.expect("the outsider is told the application's blue-green note", noted, _told(items))
    questions: list[str | None] = [
        DEPLOY,
        PROJECTS,
        PRIORITIES,
        FISCAL,
        ABOUT_ALICE,
        "acme_corp",
        "Slack PostgreSQL OAuth OKRs",
        None,
    ]
    for who in (OUTSIDER, Who("globex"), *(Who(customer, "user_alice") for customer in LOOKALIKES)):
        for question in questions:
            items = await told.items(who, question, max_results=100)
            found = f"{_name(who)}, asking {question!r}, got {_told(items)}"
            alone = set(_scopes(items)) <= {"client"}
            told.report.expect("outsiders get the application's items alone, however they ask", alone, found)
            if question is None:
                both = all(_place(items, text) is not None for text in (BLUE_GREEN, CURSOR))
                told.report.expect("outsiders get all of the application's items", both, found)


async def ask_with_budgets(told: Told) -> None:
    """With room, every scope with something relevant is heard; without, the narrower scope is kept first."""
    items = await told.items(BOB, DEPLOY, max_tokens=2_000)
    both = {"customer", "client"} <= set(_scopes(items))
    told.report.expect("customer and client items both come back when the budget allows", both, _told(items))

    items = await told.items(ALICE, DEPLOY)
    own = next((item.tokens for item in items if item.scope == "user"), 0)
    shared = next((item.tokens for item in items if item.scope == "customer"), 0)
    told.report.expect("items say how many tokens they take", own > 0 and shared > 0, f"it is {own} and {shared}")
    if not (own and shared):
        return
    for max_tokens, kept in ((own, ["user"]), (own + shared, ["user", "customer"])):
        why = "There is no room for more, and the narrower scope is kept first."
        items = await told.shown(ALICE, DEPLOY, "Alice again, with a tight budget", why, max_tokens)
        found = f"with {max_tokens} tokens alice is told {_told(items)}"
        only = list(dict.fromkeys(_scopes(items))) == kept
        told.report.expect("with a tight budget the narrower scope is kept first", only, found)
    for max_tokens in range(own, 4 * (own + shared), max(1, shared // 2)):
        items = await told.items(ALICE, DEPLOY, max_tokens=max_tokens)
        found = f"with {max_tokens} tokens alice is told {_told(items)}"
        told.report.expect("no budget costs alice her own memory", _scopes(items)[:1] == ["user"], found)
        within = sum(item.tokens for item in items) <= max_tokens
        told.report.expect("no answer is over its budget", within, found)


def _scopes(items: list[ContextItem]) -> list[str]:
    return [item.scope for item in items]


def _place(items: list[ContextItem], text: str) -> int | None:
    return next((at for at, item in enumerate(items) if text in item.content), None)


def _name(who: Who) -> str:
    return " of ".join(repr(level_id) for level_id in reversed(who.path().values())) or "the application"


def _told(items: list[ContextItem]) -> str:
    return "; ".join(f"{item.scope.upper()}: {textwrap.shorten(item.content, 60)}" for item in items) or "nothing"


def render(report: Report) -> str:
    """The report for a reader who has never seen this before."""
    lines = [
        "Every memory belongs to one scope. A fetch reads from the narrowest scope outward:",
        "  USER      one user of one customer     told to that user alone",
        "  CUSTOMER  a customer                   told to all its users, and to nobody else",
        "  CLIENT    the application itself       told to everyone",
        *_heading("What was stored"),
    ]
    for (_, text), receipt in zip(SEED, report.receipts, strict=True):
        note = "   (was there already)" if receipt.duplicate else ""
        lines.append(f"  {_label(receipt.scope, receipt.scope_path)}  {text.splitlines()[0]}{note}")
    for answer in report.answers:
        lines += [*_heading(answer.title), f"  asks: {answer.asked}", ""]
        items = answer.context.all_items()
        for item in items:
            lines += _wrapped(f"  {item.rank:2}  {_label(item.scope, item.scope_path)}  ", item.content)
        lines += [] if items else ["  (nothing)"]
        lines += ["", *_wrapped("  searched: ", "; ".join(_searched(scope) for scope in answer.context.scopes))]
        lines += _wrapped("  why nothing else: ", answer.why_nothing_else)
    lines += _heading("What was expected")
    for check in report.checks.values():
        times = f" ({check.times} times)" if check.times > 1 else ""
        lines += _wrapped("  FAILED  " if check.failed else "  ok      ", check.expected + times)
        lines += [line for found in check.failed for line in _wrapped("            ", found)]
    return "\n".join(lines)


def _searched(scope: ScopeReport) -> str:
    name = " ".join(_label(scope.scope, scope.scope_path).split())
    if not scope.scope_known:
        return f"{name} (nothing was ever stored there)"
    return f"{name} ({scope.items} told, {scope.candidates} matching)"


def _label(scope: str, path: dict[str, str]) -> str:
    return f"{scope.upper():8}  {path.get(scope, ''):10}"


def _heading(text: str) -> list[str]:
    return ["", f"── {text} ".ljust(WIDTH, "─")]


def _wrapped(lead: str, text: str) -> list[str]:
    indent = " " * len(lead)
    return textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False) or [lead]


def to_json(report: Report) -> dict[str, Any]:
    """The report for a program."""
    return {
        "ok": not report.failures,
        "failures": report.failures,
        "checks": [asdict(check) for check in report.checks.values()],
        "receipts": [receipt.model_dump(mode="json") for receipt in report.receipts],
        "answers": [
            {
                "who": answer.title,
                "asked": answer.asked,
                "items": [item.model_dump(mode="json", exclude_none=True) for item in answer.context.all_items()],
                "scopes": [scope.model_dump(mode="json") for scope in answer.context.scopes],
                "why_nothing_else": answer.why_nothing_else,
            }
            for answer in report.answers
        ],
    }


async def main(arguments: list[str] | None = None) -> int:
    """Runs the scenario and prints the report; 0 if everything was as expected."""
    parser = argparse.ArgumentParser(description="Who is told what: a scenario with its expectations.")
    parser.add_argument("--base-url", help="where the server is (else SYNAP_BASE_URL, else http://127.0.0.1:7117)")
    parser.add_argument("--api-key", help="an API key of it (else SYNAP_API_KEY)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    given = parser.parse_args(arguments)
    try:
        async with Synap(api_key=given.api_key, base_url=given.base_url) as sdk:
            report = await run(sdk)
    except SynapError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(json.dumps(to_json(report), indent=2, ensure_ascii=False) if given.json else render(report))
    if report.failures:
        print(f"\n{len(report.failures)} expectations failed:", *report.failures, sep="\n- ", file=sys.stderr)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
