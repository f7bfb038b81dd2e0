"""`full`: the finding in its source, the chain that leads there hanging from the same bar, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mplint.finding import Finding, Fix, Place, Safety
from mplint.report.columns import Cells, tame, width
from mplint.report.concise import severity_role
from mplint.report.frame import Change, Line, changes, frame
from mplint.report.scene import Scene
from mplint.report.summary import closing

_LIMIT = 140
"""Columns of source that are shown where the output has no width of its own."""
_SIGNS = {"+": "good", "-": "bad", " ": "dim"}
_LONGEST_FIX = 16
"""Changed lines that are shown with a fix."""


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """One block a finding, a blank line between them, and the closing words."""
    for finding in findings:
        yield "".join(line + "\n" for line in _block(finding, scene)) + "\n"
    yield from closing(findings, scene)


def _block(finding: Finding, scene: Scene) -> Iterator[str]:
    style = scene.style
    role = severity_role(finding)
    code = style.link(style.paint(finding.code, role), scene.rule_url(finding) or "")
    place = style.link(style.paint(tame(scene.label(finding)), "strong"), scene.uri(finding.path))
    yield f"{place}  {code} {style.paint(finding.name, 'dim')}"
    yield from _wrapped(tame(finding.message), scene, 2)
    text = scene.text(finding.path)
    lines = frame(text, finding.span, notebook=finding.notebook_cell is not None)
    fixed = changes(text, finding.fix.edits) if finding.fix is not None and finding.fix.edits else ()
    rows = [line.row for line in lines] + [change.row for change in fixed]
    gutter = max([len(str(scene.row(finding, row))) for row in rows if row] + [2]) + 2
    bar = style.draw("│", "|")
    if lines:
        yield ""
        yield from _frame(lines, finding, gutter, role, scene)
        if finding.because:
            yield " " * gutter + " " + style.paint(bar, "dim")
    elif finding.because:
        yield ""
    yield from _chain(finding, {line.row for line in lines}, gutter, scene)
    if finding.fix is not None:
        yield ""
        yield from _fix(finding.fix, fixed, finding, gutter, scene)


def _frame(lines: Sequence[Line], finding: Finding, gutter: int, role: str, scene: Scene) -> Iterator[str]:
    style = scene.style
    bar, more = style.paint(style.draw("│", "|"), "dim"), style.draw("…", "~")
    marked = [line for line in lines if line.stop > line.start]
    left, right = _window(marked, _room(scene, gutter))
    for line in lines:
        if not line.row:
            yield " " * (gutter - 1) + style.paint(style.draw("⋮", ":"), "dim") + " " + bar
            continue
        cells = Cells(line.text)
        number = style.paint(str(scene.row(finding, line.row)).rjust(gutter), "strong" if line.stop > line.start else "dim")
        yield f"{number} {bar} {cells.crop(left, right, more)}".rstrip()
        if line.stop > line.start:
            start = max(cells.column(line.start), left)
            stop = min(max(cells.column(line.stop), start + 1), right)
            yield f"{' ' * gutter} {bar} {' ' * (start - left)}{style.paint('^' * max(1, stop - start), role)}"


def _window(marked: Sequence[Line], room: int) -> tuple[int, int]:
    """The columns of source to show: all, or a piece that begins early enough to make sense of the marked range."""
    cells = [Cells(line.text) for line in marked]
    if not cells or max(cell.at[-1] for cell in cells) <= room:
        return 0, room
    start = min(cell.column(line.start) for cell, line in zip(cells, marked))
    stop = max(cell.column(line.stop) for cell, line in zip(cells, marked))
    if stop + 1 < room:
        return 0, room
    left = max(0, min(start - room // 4, stop + room // 4 - room))
    left = min(left, max(0, start - 1))
    return left, left + room


def _chain(finding: Finding, shown: set[int], gutter: int, scene: Scene) -> Iterator[str]:
    """The numbered steps; a step whose line is not in the frame brings it along."""
    style = scene.style
    labels = [f"{scene.relative(place.path)}:{place.row}:{place.column}" for place in finding.because]
    wide = min(max(map(width, labels), default=0), 48)
    digits = len(str(len(labels)))
    for number, (place, label) in enumerate(zip(finding.because, labels), 1):
        last = number == len(labels)
        fork = style.paint(style.draw("╰", "`") if last else style.draw("├", "|"), "dim")
        bar = " " if last else style.paint(style.draw("│", "|"), "dim")
        head = f"{' ' * gutter} {fork} {style.paint(str(number).rjust(digits), 'step')}  "
        linked = style.link(style.paint(tame(label), "path"), scene.uri(place.path))
        indent = gutter + 4 + digits + 2
        message = tame(place.message)
        if width(label) > wide or (style.width and indent + wide + 2 + 24 > style.width):
            yield head + linked
            below = list(_wrapped(message, scene, digits + 3, used=gutter + 2))
            yield from (f"{' ' * gutter} {bar}{line}" for line in below)
        else:
            pieces = list(_wrapped(message, scene, 0, used=indent + wide))
            yield f"{head}{linked}{' ' * (wide - width(label))}  {pieces[0] if pieces else ''}".rstrip()
            for piece in pieces[1:]:
                yield f"{' ' * gutter} {bar}{' ' * (digits + 3 + wide + 2)}{piece}"
        if source := _step_source(place, finding, shown, scene, indent):
            yield f"{' ' * gutter} {bar} {' ' * (digits + 2)}{style.paint(source, 'dim')}"
            if place.path == finding.path:
                shown.add(scene.text(place.path).position(place.span.start)[0])


def _step_source(place: Place, finding: Finding, shown: set[int], scene: Scene, indent: int) -> str:
    text = scene.text(place.path)
    if place.span.start > len(text.text) or not text.text:
        return ""
    row = text.position(place.span.start)[0]
    if place.path == finding.path and row in shown:
        return ""
    cells = Cells(text.line(row).strip())
    return cells.crop(0, max(24, (scene.style.width or _LIMIT) - indent), scene.style.draw("…", "~"))


def _fix(fix: Fix, fixed: Sequence[Change], finding: Finding, gutter: int, scene: Scene) -> Iterator[str]:
    style = scene.style
    if fix.safety is Safety.SAFE:
        how = "--fix"
    elif fix.safety is Safety.UNSAFE:
        how = "--fix --unsafe-fixes"
    else:
        how = "by hand"
    yield f"{'fix'.rjust(gutter)} {style.paint(style.draw('·', '-'), 'dim')} {tame(fix.title)}  {style.paint(f'({how})', 'dim')}"
    room = _room(scene, gutter)
    for change in fixed[:_LONGEST_FIX]:
        if not change.sign:
            yield " " * gutter + " " + style.paint(style.draw("⋮", ":"), "dim")
            continue
        line = Cells(change.text).crop(0, room, style.draw("…", "~"))
        number = "" if change.sign == "+" else str(scene.row(finding, change.row))
        signed = f"{change.sign} {line}".rstrip()
        yield f"{style.paint(number.rjust(gutter), 'dim')} {style.paint(signed, _SIGNS[change.sign])}"
    if len(fixed) > _LONGEST_FIX:
        rest = len(fixed) - _LONGEST_FIX
        yield f"{' ' * gutter} {style.paint(style.draw('⋮', ':') + f' {rest} more changed lines, see --diff', 'dim')}"


def _room(scene: Scene, gutter: int) -> int:
    return max(30, (scene.style.width or _LIMIT + gutter + 3) - gutter - 3)


def _wrapped(text: str, scene: Scene, indent: int, used: int = 0) -> Iterator[str]:
    """`text` in lines that fit behind `indent` (and behind `used` columns already taken); one line where there is no width."""
    limit = scene.style.width - indent - used
    if not scene.style.width or width(text) <= limit:
        yield " " * indent + text
        return
    line = ""
    for word in text.split():
        if line and width(line) + 1 + width(word) > max(limit, 20):
            yield " " * indent + line
            line = word
        else:
            line = f"{line} {word}" if line else word
    if line:
        yield " " * indent + line
