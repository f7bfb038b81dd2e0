"""What is printed from the rules is up to date, and what the documents name exists."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def print_rules() -> ModuleType:
    spec = importlib.util.spec_from_file_location("print_rules", ROOT / "docs" / "print_rules.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_printed_pages_are_up_to_date(print_rules: ModuleType) -> None:
    stale = sorted(str(path.relative_to(ROOT)) for path in print_rules.outdated())
    assert stale == [], "run: python docs/print_rules.py"


@pytest.mark.parametrize("document", ["README.md", "docs/architecture.md", "docs/writing-a-rule.md"])
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []
