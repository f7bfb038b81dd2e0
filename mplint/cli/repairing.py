"""`--fix` and `--diff`: what the fixes change, written or shown."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TextIO

import msgspec

from mplint.cli import FAILED, FINE, FOUND
from mplint.cli.complaints import complain
from mplint.cli.inputs import Input
from mplint.cli.reporting import report
from mplint.cli.words import Request
from mplint.finding import Finding
from mplint.finding.result import Result
from mplint.fixes.edits import Unrepairable
from mplint.fixes.rewrite import Rewritten, rewrite
from mplint.fixes.writing import Unwritable, write_source
from mplint.opening import Opened, merged
from mplint.report.diff import unified_bytes
from mplint.report.scene import counted
from mplint.session import Session
from mplint.source import Source


def repair(opened: Sequence[Opened], results: Sequence[Result], asked: Request, given: Input) -> int:
    """Apply the fixes, or show what they would change; report what is left.  Returns the exit code."""
    rewritten = [_rewritten(project, result) for project, result in zip(opened, results)]
    if not asked.quiet:
        for finding, reason in (pair for part in rewritten for pair in part.withheld):
            complain(f"{os.path.relpath(finding.path)}:{finding.row}: the fix of {finding.code} is withheld: {reason}", word="note")
    if asked.diff:
        return _show(opened, rewritten, asked)
    left: list[Result] = []
    after: list[Opened] = []
    fixed: list[Finding] = []
    failed = False
    for project, result, part in zip(opened, results, rewritten):
        kept = _written(project.session, part, given)
        failed = failed or len(kept) < len(part.texts)
        session = project.session.changed(_encoded(project.session, kept))
        # A file that could not be written keeps what was found in it.
        findings = part.findings if len(kept) == len(part.texts) else session.check(project.found.given).findings
        left.append(msgspec.structs.replace(result, findings=findings, withheld=()))
        after.append(project.with_session(session))
        fixed.extend(finding for finding in part.applied if finding.path in kept or finding.path not in part.texts)
    code = report(after, merged(left), asked, fixed=len(fixed), stream=sys.stderr if given.stdin is not None else None)
    if fixed and (asked.exit_non_zero_on_fix and not asked.exit_zero):
        code = FOUND
    if after[0].settings.show_fixes:
        _tell(fixed, sys.stdout if given.stdin is None and _for_people(after) and asked.output_file is None else sys.stderr)
    return FAILED if failed else code


def _rewritten(project: Opened, result: Result) -> Rewritten:
    session = project.session

    def recheck(texts: Mapping[str, str]) -> Sequence[Finding]:
        try:
            after = session.changed(_encoded(session, texts)).check(project.found.given)
        except ValueError as error:
            raise Unrepairable(str(error)) from None
        if len(after.crashes) > len(result.crashes):
            raise Unrepairable(f"internal error in {after.crashes[0].code} after the fix: {after.crashes[0].error}")
        return after.findings

    paths = {finding.path for finding in result.findings if finding.fix is not None}
    texts = {path: session.sources.read(path).text for path in paths}
    return rewrite(texts, result.findings, recheck, unsafe=session.settings.unsafe_fixes)


def _encoded(session: Session, texts: Mapping[str, str]) -> dict[str, bytes]:
    """The bytes of files with new texts.  Raises ValueError when an encoding has no room for one."""
    sources = {path: session.sources.read(path) for path in texts}
    return {path: sources[path].encode(text) for path, text in texts.items() if text != sources[path].text}


def _written(session: Session, part: Rewritten, given: Input) -> dict[str, str]:
    """Write the changed files, or print the one that came from standard input; the texts that were written."""
    if given.stdin is not None:
        source = session.sources.read(given.stdin)
        text = part.texts.get(given.stdin, source.text)
        sys.stdout.buffer.write(source.encode(text) if text != source.text else source.data)
        sys.stdout.flush()
        return dict(part.texts)
    kept: dict[str, str] = {}
    for path, text in sorted(part.texts.items()):
        try:
            write_source(session.sources.read(path), text)
        except Unwritable as error:
            complain(f"{os.path.relpath(path)} is not fixed: {error}")
            continue
        kept[path] = text
    return kept


def _show(opened: Sequence[Opened], rewritten: Sequence[Rewritten], asked: Request) -> int:
    changed = 0
    for project, part in zip(opened, rewritten):
        for path, text in sorted(part.texts.items()):
            sys.stdout.buffer.write(_difference(project.session.sources.read(path), text))
            changed += 1
    sys.stdout.flush()
    if not asked.quiet:
        count = sum(len(part.applied) for part in rewritten)
        complain(f"{counted(count, 'finding')} would be fixed in {counted(changed, 'file')}", word="note")
    return FOUND if changed and not asked.exit_zero else FINE


def _difference(source: Source, text: str) -> bytes:
    here = os.getcwd()
    if source.cells:
        old, new = source.data.decode("utf-8"), source.encode(text).decode("utf-8")
        return unified_bytes(source.path, old, new, root=here)
    return unified_bytes(source.path, source.text, text, root=here, encoding=source.encoding)


def _for_people(opened: Sequence[Opened]) -> bool:
    return opened[0].settings.output_format in {"full", "concise"}


def _tell(fixed: Sequence[Finding], stream: TextIO) -> None:
    """`--show-fixes`: what was fixed, by file and rule."""
    by_path: dict[str, Counter[tuple[str, str]]] = {}
    for finding in fixed:
        by_path.setdefault(finding.path, Counter())[finding.code, finding.name] += 1
    print(f"Fixed {counted(len(fixed), 'finding')}:", file=stream)
    for path, counts in sorted(by_path.items()):
        print(f"- {os.path.relpath(path)}:", file=stream)
        for (code, name), count in sorted(counts.items()):
            print(f"    {count} × {code} ({name})", file=stream)
