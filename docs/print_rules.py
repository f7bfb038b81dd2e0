"""Prints what rules and modules say of themselves: a page each in `docs/rules`, the rules in README.md, the modules in docs/architecture.md.

python docs/print_rules.py            writes them
python docs/print_rules.py --check    names the files that are out of date, and ends with 1 when there are any
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from mplint.registry import registry
from mplint.report.prose import page_of
from mplint.rule import Rule

ROOT = Path(__file__).resolve().parent.parent
END = "<!-- end of what is printed -->"
PICTURE = ("--isolated", "--no-cache", "--color", "never", "--select", "MP301", "examples")
FAMILIES = {
    "MP0": "mplint itself",
    "MP1": "Signals",
    "MP2": "Exceptions that cross a process boundary",
    "MP3": "Inside the worker",
    "MP4": "asyncio over a pool",
    "MP5": "Waiting",
    "MP6": "Life of a pool",
    "MP7": "Starting processes",
    "MP8": "What is sent",
    "MP9": "Shared state",
}


def wanted() -> dict[Path, str]:
    """Every printed file with the text that it must hold."""
    rules = registry().all
    pages = {ROOT / "docs" / "rules" / f"{rule.code}.md": page(rule) for rule in rules}
    readme, architecture = ROOT / "README.md", ROOT / "docs" / "architecture.md"
    return pages | {
        readme: _printed(readme, rules=table(rules), picture=picture()),
        architecture: _printed(architecture, house=house()),
    }


def outdated() -> dict[Path, str | None]:
    """The files to write, with their text, and those to remove, with None."""
    files = wanted()
    stale: dict[Path, str | None] = {path: text for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text}
    return stale | {path: None for path in (ROOT / "docs" / "rules").glob("*.md") if path not in files}


def page(rule: Rule) -> str:
    """The page of a rule."""
    facts = [f"Code {rule.code}", f"since {rule.since}", "has a fix" if mends(rule) else "no fix"]
    if rule.preview:
        facts.append("in preview: runs with `--preview`")
    return f"# {rule.name}\n\n{', '.join(facts)}.\n\n{page_of(type(rule)).strip()}\n"


def mends(rule: Rule) -> bool:
    """Whether there is a fix: the rule's own, or one of the engine that the page tells of."""
    return rule.has_fix() or "## Fix safety" in (rule.__doc__ or "")


def table(rules: Iterable[Rule]) -> str:
    """A table a family: code with a link to the page, name, what is found, and whether it can be mended."""
    blocks = []
    for family, group in groupby(sorted(rules, key=lambda rule: rule.code), key=lambda rule: rule.code[:3]):
        lines = [f"**{family}xx {FAMILIES.get(family, '')}**".rstrip(), "", "| code | name | what it finds | fix |", "|---|---|---|---|"]
        for rule in group:
            name = f"`{rule.name}`" + (" (preview)" if rule.preview else "")
            said = rule.summary().replace("|", "\\|")
            lines.append(f"| [{rule.code}](docs/rules/{rule.code}.md) | {name} | {said} | {'yes' if mends(rule) else '-'} |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def house() -> str:
    """The modules of the engine, folder by folder, each with the first sentence of its docstring."""
    lines = []
    package = ROOT / "mplint"
    for folder in (package, *sorted(path for path in package.rglob("*") if (path / "__init__.py").is_file())):
        lines += ["", f"**{folder.relative_to(ROOT)}/** {_sentence(folder / '__init__.py')}", "", "| module | holds |", "|---|---|"]
        for path in sorted(folder.glob("*.py")):
            if path.name != "__init__.py":
                lines.append(f"| `{path.name}` | {_sentence(path)} |")
    return "\n".join(lines[1:]) + "\n"


def _sentence(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = re.split(r"(?<=[.!?])\s", " ".join(said.split("\n\n", 1)[0].split()), maxsplit=1)[0]
    return first.replace("|", "\\|")


def picture() -> str:
    """What mplint says of one hazard of the example."""
    command = [sys.executable, "-m", "mplint", *PICTURE]
    environment = os.environ | {"COLUMNS": "120", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, encoding="utf-8").stdout
    return f"```text\n$ mplint --select MP301 examples/\n{said.strip()}\n```\n"


def _printed(path: Path, **parts: str) -> str:
    """The text of a file with each part between its two marks."""
    text = path.read_text(encoding="utf-8")
    for name, part in parts.items():
        begin = f"<!-- printed by docs/print_rules.py: {name} -->"
        before, rest = text.split(begin, 1)
        text = f"{before}{begin}\n\n{part}\n{END}{rest.split(END, 1)[1]}"
    return text


def main() -> int:
    files = outdated()
    for path, text in sorted(files.items()):
        print(f"{'out of date' if '--check' in sys.argv[1:] else 'writing' if text else 'removing'}: {path.relative_to(ROOT)}")
        if "--check" not in sys.argv[1:]:
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return 1 if files and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
