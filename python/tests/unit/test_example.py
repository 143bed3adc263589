"""The example holds against the fake, and notices when the fake breaks."""

import json

import pytest

import customer_context
from fake import Fake
from synap import Synap


async def report_of(fake: Fake) -> customer_context.Report:
    async with Synap(api_key="key", transport=fake.transport) as sdk:
        return await customer_context.run(sdk)


async def test_it_holds_and_holds_again():
    fake = Fake()
    first, second = await report_of(fake), await report_of(fake)
    assert first.failures == second.failures == []
    assert not any(receipt.duplicate for receipt in first.receipts)
    assert all(receipt.duplicate for receipt in second.receipts)
    assert "was there already" in customer_context.render(second)
    told = json.loads(json.dumps(customer_context.to_json(first)))
    assert told["ok"]
    assert {item["scope"] for item in told["answers"][0]["items"]} == {"user", "customer", "client"}


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (Fake(leak=True), "bob never sees alice's memory"),
        (Fake(leak=True), "outsiders get the application's items alone, however they ask"),
        (Fake(leak=True), "the fetch for the customer returns no user's memory"),
        (Fake(leak=True), "every item says its scope"),
        (Fake(shuffle=True), "items stand narrowest scope first"),
        (Fake(shuffle=True), "alice is told, in this order"),
        (Fake(shuffle=True), "with a tight budget the narrower scope is kept first"),
    ],
)
async def test_it_notices_what_is_broken(broken, expected):
    report = await report_of(broken)
    assert any(failure.startswith(expected) for failure in report.failures)
    assert "FAILED" in customer_context.render(report)


async def test_it_exits_with_what_came_out(monkeypatch, capsys):
    monkeypatch.delenv("SYNAP_API_KEY", raising=False)
    assert await customer_context.main([]) == 2
    assert "set SYNAP_API_KEY" in capsys.readouterr().err
    for fake, code in [(Fake(), 0), (Fake(leak=True), 1)]:
        monkeypatch.setattr(
            customer_context, "Synap", lambda fake=fake, **given: Synap(**given, transport=fake.transport)
        )
        assert await customer_context.main(["--api-key", "key", "--json"]) == code
        out = capsys.readouterr()
        assert json.loads(out.out)["ok"] == (code == 0)
        assert ("expectations failed" in out.err) == (code == 1)
