"""Suppression comments: which findings they hide, which of them hide nothing, and how new ones are written.

A comment counts for every row of the logical line that it stands in, as in flake8: for a statement of several lines on any of
them.  Codes are prefixes (`MP5` hides `MP501`), names are whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import msgspec

from mplint.finding import Edit, Finding, Fix, Safety, Span
from mplint.source import Source
from mplint.source.comments import Comment, Layout

_WORTH = re.compile(rb"noqa|mplint\s*:", re.IGNORECASE)
_OURS = re.compile(rb"noqa\s*:[^\r\n]*\bmp\d")
_NAMED = re.compile(rb"mplint\s*:")
_NOQA = re.compile(r"#\s*noqa\b(?P<list>\s*:\s?(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?", re.IGNORECASE)
_FLAKE8_FILE = re.compile(r"#\s*flake8\s*[:=]\s*noqa(?P<list>\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?\s*$", re.IGNORECASE)
_OWN = re.compile(r"#\s*mplint\s*:\s*(?P<verb>ignore-file|ignore)\b(?P<list>\s*\[(?P<codes>[^\]\r\n]*)\])?", re.IGNORECASE)
_WORD = re.compile(r"[\w-]+")


class Word(msgspec.Struct, frozen=True):
    """A code or a name in a comment, and its range in the source."""

    text: str
    span: Span

    def means(self, code: str, name: str) -> bool:
        """Whether a rule is meant."""
        wanted = self.text.upper()
        return code.startswith(wanted) or name.upper() == wanted


class Suppression(msgspec.Struct, frozen=True):
    """One suppression comment.  `words` is empty when everything is hidden; `rows` is None when the whole file is meant.

    `span` is what a fix removes when nothing is left of it, `comment` the whole comment that it stands in.
    """

    kind: str
    span: Span
    comment: Comment
    words: tuple[Word, ...]
    rows: tuple[int, int] | None

    def covers(self, row: int, code: str, name: str) -> bool:
        """Whether a finding on this row is hidden."""
        if self.rows is not None and not self.rows[0] <= row <= self.rows[1]:
            return False
        return not self.words or any(word.means(code, name) for word in self.words)


class Verdict(msgspec.Struct, frozen=True):
    """What the comments of a file do: findings that stay, findings that are hidden, comments that hide nothing (as findings)."""

    kept: tuple[Finding, ...]
    hidden: tuple[Finding, ...]
    useless: tuple[Finding, ...]


def may_matter(data: bytes) -> bool:
    """Whether the bytes of a file can hold a suppression comment that speaks of mplint."""
    lower = data.lower()
    return (b"noqa" in lower and _OURS.search(lower) is not None) or (b"mplint" in lower and _NAMED.search(lower) is not None)


def may_hide_all(data: bytes) -> bool:
    """Whether the bytes of a file can hold a suppression comment that counts wherever it stands."""
    return b"flake8" in data or may_matter(data)


def suppressions(source: Source, *, noqa: bool = True) -> tuple[Suppression, ...]:
    """All suppression comments of a source; without `noqa` only those that are mplint's own."""
    if _WORTH.search(source.data) is None:
        return ()
    layout = Layout(source)
    found: list[Suppression] = []
    for comment in layout.comments:
        patterns = (("own", _OWN), ("file", _FLAKE8_FILE), ("noqa", _NOQA)) if noqa else (("own", _OWN),)
        for kind, pattern in patterns:
            if kind == "noqa" and found and found[-1].comment == comment and found[-1].kind == "file":
                continue
            match = pattern.search(comment.text)
            if match is None or (kind == "file" and source.lines[comment.row - 1].split("#", 1)[0].strip()):
                continue
            words: tuple[Word, ...] = ()
            if match["list"] is not None:
                base = comment.start + match.start("codes")
                words = tuple(Word(w[0], Span(base + w.start(), base + w.end())) for w in _WORD.finditer(match["codes"]))
                if not words:
                    continue
            whole = kind == "file" or (kind == "own" and match["verb"].lower() == "ignore-file")
            span = Span(comment.start + match.start(), comment.start + match.end())
            found.append(Suppression(kind, span, comment, words, None if whole else layout.logical(comment.row)))
    return tuple(found)


def judge(source: Source, findings: Sequence[Finding], *, running: Collection[str], known: Iterable[tuple[str, str]], noqa: bool = True) -> Verdict:
    """Apply the comments of `source` to its findings.

    `running` are the codes that were checked, `known` the codes and names of all rules: a comment is useless when it names a rule that
    ran and did not fire, or an `MP` code that no rule has.
    """
    comments = suppressions(source, noqa=noqa)
    if not comments:
        return Verdict(tuple(findings), (), ())
    rules = tuple(known)
    kept: list[Finding] = []
    hidden: list[Finding] = []
    for finding in findings:
        rows = {finding.row, finding.noqa_row or finding.row}
        covered = any(c.covers(row, finding.code, finding.name) for c in comments for row in rows)
        (hidden if covered else kept).append(finding)
    useless = [
        finding
        for comment in comments
        for finding in _useless(source, comment, hidden, running, rules)
        if not any((c.words or c.kind == "noqa") and c.covers(finding.row, finding.code, finding.name) for c in comments)
    ]
    return Verdict(tuple(kept), tuple(hidden), tuple(useless) if "MP001" in running else ())


def _useless(source: Source, comment: Suppression, hidden: Sequence[Finding], running: Collection[str], rules: Sequence[tuple[str, str]]) -> Iterable[Finding]:
    def used(word: Word | None) -> bool:
        rows = comment.rows
        return any(
            (rows is None or rows[0] <= f.row <= rows[1] or rows[0] <= f.noqa_row <= rows[1]) and (word is None or word.means(f.code, f.name)) for f in hidden
        )

    if not comment.words:
        whole_run = all(code in running for code, _ in rules)
        if comment.kind == "own" and whole_run and not used(None):
            yield _finding(source, comment, comment.span, "this comment suppresses nothing", comment.words)
        return
    for word in comment.words:
        meant = [code for code, name in rules if word.means(code, name)]
        if not meant:
            if comment.kind == "own" or re.fullmatch(r"MP\d+", word.text, re.IGNORECASE):
                yield _finding(source, comment, word.span, f"`{word.text}` is no rule", (word,))
        elif "MP001" not in meant and all(code in running for code in meant) and not used(word):
            yield _finding(source, comment, word.span, f"`{word.text}` suppresses nothing here", (word,))


def _finding(source: Source, comment: Suppression, span: Span, message: str, words: Sequence[Word]) -> Finding:
    row = comment.comment.row
    column = span.start - source.starts[row - 1] + 1
    title = f"Remove `{words[0].text}`" if words else "Remove the comment"
    return Finding(
        code="MP001",
        name="useless-suppression",
        path=source.path,
        span=span,
        row=row,
        column=column,
        end_row=row,
        end_column=column + span.stop - span.start,
        message=f"useless suppression: {message}",
        fix=Fix(title, (_removal(source, comment, words),), Safety.SAFE, source.path),
        noqa_row=row,
    )


def _removal(source: Source, comment: Suppression, words: Sequence[Word]) -> Edit:
    """Take words out of a comment; the suppression when none is left; the comment, and the blanks before it, when nothing is left of that."""
    left = [word for word in comment.words if word not in words]
    if left:
        word = words[0]
        at = comment.words.index(word)
        if at + 1 < len(comment.words):
            return Edit(Span(word.span.start, comment.words[at + 1].span.start), "")
        return Edit(Span(comment.words[at - 1].span.stop, word.span.stop), "")
    text = source.text
    start, stop = comment.span.start, comment.span.stop
    end = comment.comment.start + len(comment.comment.text)
    after, before = text[stop:end], text[comment.comment.start : start]
    if after.strip() and not before.strip():
        rest = after.lstrip()
        return Edit(Span(start, stop + len(after) - len(rest)), "" if rest.startswith("#") else "# ")
    if not before.strip():
        line = source.starts[comment.comment.row - 1]
        blank = not text[line:start].strip()
        start = line if blank else line + len(text[line:start].rstrip())
        return Edit(Span(start, end + len(re.match(r"\r\n|\n|\r|", text[end:])[0]) if blank else end), "")  # type: ignore[index]
    return Edit(Span(start - (len(before) - len(before.rstrip())), stop), "")


def added(source: Source, findings: Sequence[Finding]) -> str:
    """The text of `source` with a `# noqa: CODE` for each finding on the last line of its statement; codes join a comment that is there."""
    layout = Layout(source)
    wanted: dict[int, set[str]] = {}
    for finding in findings:
        wanted.setdefault(layout.logical(max(finding.noqa_row, finding.row))[1], set()).add(finding.code)
    there = {c.comment.row: c for c in suppressions(source) if c.kind == "noqa" and c.words}
    lines = list(source.lines)
    for row, codes in wanted.items():
        line = lines[row - 1]
        body = line.rstrip("\r\n")
        if row in there:
            at = there[row].words[-1].span.stop - source.starts[row - 1]
            lines[row - 1] = f"{body[:at]}, {', '.join(sorted(codes))}{line[at:]}"
        else:
            lines[row - 1] = f"{body.rstrip()}  # noqa: {', '.join(sorted(codes))}{line[len(body) :]}"
    return "".join(lines)
