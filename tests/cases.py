"""What the harness feeds to mplint: the example of a rule, and the files and folders under `fixtures`.

A line on which a rule must report ends in `# MP501` (several codes: `# MP501, MP605`); the markers are taken out before mplint
reads the text, so that no rule and no fix ever sees one.  Comment lines at the top set options: `# target-version: 3.12`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from mplint.config import Options, load
from mplint.config.options import key_of
from mplint.finding import Finding, Safety
from mplint.fixes.rewrite import Rewritten, rewrite
from mplint.rule import Rule
from mplint.session import Result, Session

FIXTURES = Path(__file__).parent / "fixtures"
TIMEOUT = "timeout = 3"
"""Examples are linted with this configuration: what waits an hour before it fails proves nothing."""

_MARKER = re.compile(r"[ \t]*# (MP\d{3}(?:, ?MP\d{3})*)[ \t]*$", re.MULTILINE)
_OPTION = re.compile(r"^# ([a-z-]+): (.+)$")
_KEYS = frozenset(key_of(name) for name in Options.__struct_fields__)


class Case(msgspec.Struct, frozen=True):
    """One project to lint for one code: `files` map absolute paths to texts without markers, `fixed` to what fixes make of them."""

    name: str
    code: str
    root: str
    files: Mapping[str, str]
    marked: frozenset[tuple[str, int]]
    fixed: Mapping[str, str]
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def unmarked(text: str) -> str:
    """A text without its markers."""
    return _MARKER.sub("", text)


def rows(text: str, code: str) -> set[int]:
    """The rows (from 1) that are marked with a code."""
    marks = ((row, _MARKER.search(line)) for row, line in enumerate(text.splitlines(), 1))
    return {row for row, mark in marks if mark is not None and code in re.findall(r"MP\d{3}", mark[1])}


def example_of(rule: Rule, *, fixed: bool = False) -> Case:
    """The bad program of a rule, or the fixed one."""
    root = str(FIXTURES)
    path = str(FIXTURES / "program.py")
    text = rule.example.fixed if fixed else rule.example.bad
    marked = frozenset((path, row) for row in rows(text, rule.code))
    options = (TIMEOUT, 'target-version = "{}.{}"'.format(*rule.example.needs))
    return Case(rule.code, rule.code, root, {path: unmarked(text)}, marked, {path: rule.example.fixed}, options)


def fixtures() -> list[Case]:
    """Every file and every folder below the folders of the codes."""
    cases = []
    for folder in sorted(FIXTURES.glob("MP[0-9][0-9][0-9]")):
        for item in sorted(folder.iterdir()):
            if item.is_dir() and item.name != "__pycache__":
                cases.append(_case(folder.name, item, sorted((*item.rglob("*.py"), *item.rglob("*.spec")))))
            elif item.suffix == ".py" and not item.name.endswith(".fixed.py"):
                cases.append(_case(folder.name, item, [item]))
    return cases


def check(case: Case, texts: Mapping[str, str] | None = None) -> Result:
    """What mplint finds with only the rule of the case selected; `texts` stand for those of the case."""
    files = dict(case.files) | dict(texts or {})
    settings = load(case.root, command_line=Options(select=(case.code,), preview=True), config=case.options, isolated=True)
    session = Session(settings, sorted(files), overlays={path: text.encode() for path, text in files.items()})
    return session.check(sorted(path for path in files if not path.endswith(".spec")))


def repaired(case: Case, *, shown: bool = False) -> Rewritten:
    """What all fixes make of a case, unsafe ones too; with `shown` also those that are only printed."""

    def recheck(texts: Mapping[str, str]) -> list[Finding]:
        return [_applicable(finding) if shown else finding for finding in check(case, texts).findings]

    return rewrite(case.files, recheck({}), recheck, unsafe=True)


def _applicable(finding: Finding) -> Finding:
    if finding.fix is None or finding.fix.safety is not Safety.SHOWN:
        return finding
    return msgspec.structs.replace(finding, fix=msgspec.structs.replace(finding.fix, safety=Safety.UNSAFE))


def _case(code: str, item: Path, paths: list[Path]) -> Case:
    sources = [path for path in paths if not path.name.endswith(".fixed.py")]
    texts = {str(path): path.read_text(encoding="utf-8") for path in sources}
    marked = frozenset((path, row) for path, text in texts.items() for row in rows(text, code))
    repaired = {str(path): path.with_suffix(".fixed.py") for path in sources}
    fixed = {path: twin.read_text(encoding="utf-8") for path, twin in repaired.items() if twin.exists()}
    options = tuple(option for text in texts.values() for option in _options(text))
    root = item if item.is_dir() else item.parent
    return Case(f"{code}/{item.name}", code, str(root), {path: unmarked(text) for path, text in texts.items()}, marked, fixed, options)


def _options(text: str) -> list[str]:
    found = []
    for line in text.splitlines():
        option = _OPTION.match(line)
        if option is None or option[1] not in _KEYS:
            break
        found.append(f"{option[1]} = {option[2] if option[1] == 'memory-bound' else json.dumps(option[2])}")
    return found
