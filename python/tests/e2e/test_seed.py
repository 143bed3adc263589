"""The seed scenario, once and again."""

import customer_context


async def test_everybody_is_told_what_they_should_be(sdk):
    for _ in range(2):
        report = await customer_context.run(sdk)
        assert not report.failures, "\n".join([*report.failures, "", customer_context.render(report)])
    # What is there is not stored again.
    assert all(receipt.duplicate for receipt in report.receipts)
