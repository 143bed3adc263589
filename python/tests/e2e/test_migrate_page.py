"""The code of docs/migrate.md that uses this package runs as it stands there."""

import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "migrate.md"
MARK = "<!-- block: package -->\n```python\n"


def test_the_move_from_the_vendors_sdk(server: None, customer: str) -> None:
    _, mark, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert mark, "the block is not on the page"
    code = rest.partition("```")[0].replace("acme_corp", customer)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "Alice prefers short answers.\n"), done.stderr
