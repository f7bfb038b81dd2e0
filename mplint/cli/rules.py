"""Answers about rules: their pages, their table, and the proof that they are right."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mplint.cli import FAILED, FINE, FOUND
from mplint.cli.words import Request
from mplint.config.files import nearest
from mplint.config.settings import ConfigError
from mplint.registry import Registry, registry

if TYPE_CHECKING:
    from mplint.rule import Rule


def answer(asked: Request) -> int:
    """`--explain`, `--list-rules` and `--prove`."""
    packs = registry()
    if asked.list_rules:
        return _listed(packs, asked)
    if asked.explain is not None:
        return _explained(_found(packs, asked.explain), asked)
    return _proved(_found(packs, str(asked.prove)))


def _found(packs: Registry, word: str) -> Rule:
    rule = packs.find(word)
    if rule is None:
        words = [text for rule in packs.all for text in (rule.code, rule.name)]
        raise ConfigError(f"there is no rule {word!r}{nearest(word if '-' in word else word.upper(), words)}; see --list-rules")
    return rule


def described(rule: Rule) -> dict[str, object]:
    """A rule as JSON shows it."""
    from mplint.report.prose import page_of

    return {
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary(),
        "since": rule.since,
        "preview": rule.preview,
        "fix": rule.has_fix(),
        "page": page_of(type(rule)),
    }


def _explained(rule: Rule, asked: Request) -> int:
    if asked.options.output_format == "json":
        import json

        print(json.dumps(described(rule), indent=2))
        return FINE
    from mplint.report.prose import page_of

    facts = [f"since {rule.since}", *(["preview"] if rule.preview else []), "has a fix" if rule.has_fix() else "no fix"]
    text = f"# {rule.code} {rule.name}\n\n{', '.join(facts)}\n\n{page_of(type(rule))}"
    if _colored(asked):
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        print(text)
    return FINE


def _listed(packs: Registry, asked: Request) -> int:
    if asked.options.output_format == "json":
        import json

        print(json.dumps([described(rule) for rule in packs.all], indent=2))
        return FINE
    wide = max(len(rule.name) for rule in packs.all)
    for rule in packs.all:
        marks = f"{'fix' if rule.has_fix() else '':4}{'preview' if rule.preview else '':8}"
        print(f"{rule.code}  {rule.name:{wide}}  {marks}{rule.summary()}".rstrip())
    for broken in packs.broken:
        print(f"mplint: error: {broken}", file=sys.stderr)
    return FAILED if packs.broken else FINE


def _proved(rule: Rule) -> int:
    if getattr(rule, "example", None) is None:
        raise ConfigError(f"{rule.code} has no example to run")
    from mplint.prove import prove, report

    try:
        proofs = prove(rule.example)
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{rule.code} cannot be proved here: {error}") from None
    print(report(rule.code, rule.name, proofs), end="")
    return FINE if all(proof.held for proof in proofs) else FOUND


def _colored(asked: Request) -> bool:
    from mplint.report.style import style_for

    return style_for(sys.stdout, color=asked.color, environ=os.environ).color
