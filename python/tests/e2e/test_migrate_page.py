"""The code of docs/migrate.md that uses this package runs as it stands there."""

import runpy
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "migrate.md"
MARK = "<!-- block: package -->\n```python\n"


def test_the_move_from_the_vendors_sdk(
    server: None, customer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, mark, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert mark, "the block is not on the page"
    code = tmp_path / "block.py"
    code.write_text(rest.partition("```")[0].replace("acme_corp", customer), encoding="utf-8")
    runpy.run_path(str(code))
    assert capsys.readouterr().out == "Alice prefers short answers.\n"
