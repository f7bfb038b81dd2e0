"""`html`: one self-contained page with the worker map as a picture and every finding with frame, chain and fix."""

from __future__ import annotations

import html
import importlib.resources
import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from mplint.finding import Finding, Safety
from mplint.report.concise import severity_role
from mplint.report.frame import changes, frame
from mplint.report.highlight import Token, painted, tokens
from mplint.report.jsons import compact
from mplint.report.map_tree import render_map
from mplint.report.markdown import inline, to_html
from mplint.report.prose import page_of
from mplint.report.scene import Scene, Text, counted
from mplint.report.summary import repairs
from mplint.worker_map import WorkerMap

_HOW = {Safety.SAFE: ("safe", "--fix"), Safety.UNSAFE: ("unsafe", "--fix --unsafe-fixes"), Safety.SHOWN: ("by hand", "")}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """The page, piece by piece.  It asks the network for nothing; without scripts it still shows everything."""
    scene = _at_home(findings, scene)
    page = _Page(scene)
    name = _text(os.path.basename(scene.absolute("")) or "project")
    yield f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{name} · mplint</title>\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
    yield f"<style>\n{_asset('page.css')}</style>\n<script>\n{_asset('theme.js')}</script>\n</head>\n<body>\n"
    yield from _header(findings, scene, name)
    if scene.worker_map is not None:
        yield from _map(scene.worker_map, scene)
    yield from _findings(findings, page)
    yield from _rules(findings, scene)
    yield "</main>\n"
    version = f" {_text(scene.version)}" if scene.version else ""
    yield f"<footer>mplint{version}</footer>\n"
    if scene.worker_map is not None:
        yield f'<script type="application/json" id="map-data">{_data(scene.worker_map, scene)}</script>\n'
        yield f"<script>\n{_asset('tree.js')}{_asset('map.js')}</script>\n"
    yield f"<script>\n{_asset('page.js')}</script>\n</body>\n</html>\n"


def _at_home(findings: Sequence[Finding], scene: Scene) -> Scene:
    """The scene seen from where the files are, when none of them is below its root."""
    paths = {finding.path for finding in findings}
    if scene.worker_map is not None:
        paths |= {handover.path for handover in scene.worker_map.handovers} | {worker.path for worker in scene.worker_map.workers}
    folders = {os.path.dirname(scene.absolute(path)) for path in paths}
    if not folders or any(not os.path.isabs(scene.relative(path)) for path in paths):
        return scene
    try:
        return msgspec.structs.replace(scene, root=os.path.commonpath(folders))
    except ValueError:  # on different drives
        return scene


def _header(findings: Sequence[Finding], scene: Scene, name: str) -> Iterator[str]:
    files = len({finding.path for finding in findings})
    found = f"{counted(len(findings), 'finding')} in {counted(files, 'file')}" if findings else "Nothing found"
    yield '<header class="bar"><a class="brand" href="#top">mplint</a>'
    yield f'<span class="project" title="{_quoted(scene.absolute(""))}">{name}</span>'
    yield '<label class="search"><span class="sr">Search</span><input id="search" type="search" autocomplete="off" spellcheck="false"'
    yield ' placeholder="Search findings and map"><kbd>/</kbd></label>'
    yield '<button id="theme" class="quiet" type="button" title="Light or dark">◐<span class="sr"> Light or dark</span></button></header>\n'
    yield f'<main id="top">\n<section class="summary"><h1>{found}</h1><p>'
    if scene.worker_map is not None:
        known = scene.worker_map
        on_the_way = len(known.hazards) - len(known.elsewhere)
        hands = counted(len(known.handovers), "place hands", "places hand")
        if known.handovers:
            yield f"{hands} work to worker processes, where {counted(len(known.workers), 'function')} may run. "
            yield f"On the way: {counted(on_the_way, 'finding')}. " if findings else ""
        else:
            yield "Nothing hands work to a worker process here. "
    yield inline(repairs(findings, scene))
    yield "</p></section>\n"


def _map(worker_map: WorkerMap, scene: Scene) -> Iterator[str]:
    if not worker_map.handovers:
        return
    yield '<section id="map"><div class="head"><h2>Worker map</h2><span class="legend"><i class="lg hand"></i>hands work over '
    yield '<i class="lg work"></i>runs in a worker <i class="lg hot"></i>reaches a hazard</span><span class="tools">'
    yield '<label><input type="checkbox" id="map-quiet"> without hazards too</label>'
    yield '<button type="button" id="map-fold">Fold all</button><button type="button" id="map-unfold">Unfold all</button>'
    yield '<button type="button" id="map-tall">Taller</button></span></div>\n'
    yield '<div class="canvas" id="canvas" role="tree" aria-label="Worker map"></div>\n'
    tree = "".join(render_map(worker_map, Scene(scene.text_of, scene.rules, scene.root)))
    yield f"<noscript><pre>{_text(tree)}</pre></noscript></section>\n"


def _findings(findings: Sequence[Finding], page: _Page) -> Iterator[str]:
    scene = page.scene
    if not findings:
        return
    rules = Counter((finding.code, finding.name) for finding in findings)
    files = Counter(scene.relative(finding.path) for finding in findings)
    yield '<section id="findings"><div class="head"><h2>Findings</h2><span id="shown" aria-live="polite"></span></div>\n'
    yield '<div class="columns"><aside aria-label="Filters"><button type="button" id="clear" hidden>Show all</button><h3>Rules</h3><ul>'
    for (code, name), count in sorted(rules.items()):
        yield _filter("rule", code, f"<b>{_text(code)}</b> {_text(name)}", count)
    yield "</ul><h3>Files</h3><ul>"
    for path, count in sorted(files.items()):
        directory, _, file = path.rpartition("/")
        shown = f'<span class="dir">{_text(directory + "/") if directory else ""}</span>{_text(file)}'
        yield _filter("file", path, f'<span class="path" title="{_quoted(path)}">{shown}</span>', count)
    yield '</ul></aside>\n<div class="list">\n'
    last = ""
    for number, finding in enumerate(findings):
        if finding.path != last:
            yield "</div>\n" if last else ""
            last = finding.path
            yield f'<div class="file"><h3><span>{_text(scene.relative(last))}</span></h3>\n'
        yield page.article(number, finding)
    yield '</div>\n<p class="empty" id="none" hidden>Nothing matches.</p></div></div></section>\n'


def _rules(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """The pages of the rules that found something, folded."""
    found = [(code, scene.rules[code]) for code in sorted({finding.code for finding in findings}) if code in scene.rules]
    if not found:
        return
    yield '<section id="rules"><div class="head"><h2>Rules</h2></div>\n'
    for code, rule in found:
        head = f"<summary><b>{_text(code)}</b> {_text(rule.name)} <span>{inline(rule.summary())}</span></summary>"
        yield f'<details class="rule" id="rule-{_quoted(code)}">{head}<div class="page">{to_html(page_of(rule))}</div></details>\n'
    yield "</section>\n"


def _filter(kind: str, value: str, label: str, count: int) -> str:
    return f'<li><label><input type="checkbox" data-{kind}="{_quoted(value)}"><span>{label}</span><em>{count}</em></label></li>\n'


class _Page:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._tokens: dict[str, tuple[list[Token], list[int]]] = {}

    def article(self, number: int, finding: Finding) -> str:
        scene = self.scene
        role = severity_role(finding)
        label = f"{finding.row}:{finding.column}" if finding.notebook_cell is None else f"cell {finding.notebook_cell}:{finding.row}:{finding.column}"
        rule = scene.rules.get(finding.code)
        title = f' title="{_quoted(rule.summary())}"' if rule is not None else ""
        code = f'<a href="#rule-{_quoted(finding.code)}">{_text(finding.code)}</a>' if rule is not None else _text(finding.code)
        pieces = [
            f'<article id="f{number}" class="{role}" data-code="{_quoted(finding.code)}" data-file="{_quoted(scene.relative(finding.path))}">',
            f'<header><span class="code {role}"{title}>{code}</span><span class="name">{_text(finding.name)}</span>',
            f'<a class="place" href="#f{number}">{_text(label)}</a>',
            f'{_inside(finding.scope)}</header><p class="message">{inline(finding.message)}</p>',
            self._frame(finding),
            self._chain(finding),
            self._fix(finding),
            "</article>\n",
        ]
        return "".join(pieces)

    def _frame(self, finding: Finding) -> str:
        text = self.scene.text(finding.path)
        lines = []
        for line in frame(text, finding.span, notebook=finding.notebook_cell is not None):
            if not line.row:
                lines.append('<span class="l gap">⋮</span>')
                continue
            start = text.starts[line.row - 1]
            mark = (start + line.start, start + line.stop) if line.stop > line.start else (0, 0)
            hit = " hit" if mark[1] else ""
            lines.append(
                f'<span class="l{hit}" data-n="{self.scene.row(finding, line.row)}">{self._code(finding.path, text, start, len(line.text), mark)}</span>'
            )
        return f'<pre class="frame">{"".join(lines)}</pre>' if lines else ""

    def _code(self, path: str, text: Text, start: int, length: int, mark: tuple[int, int] = (0, 0)) -> str:
        if path not in self._tokens:
            found = tokens(text.text)
            self._tokens[path] = found, [stop for _, stop, _ in found]
        coloured, stops = self._tokens[path]
        first = bisect_left(stops, start)
        last = first
        while last < len(coloured) and coloured[last][0] < start + length:
            last += 1
        return painted(text.text, start, start + length, coloured[first:last], mark)

    def _chain(self, finding: Finding) -> str:
        if not finding.because:
            return ""
        steps = []
        shown = {(finding.path, line.row) for line in frame(self.scene.text(finding.path), finding.span) if line.stop > line.start}
        for place in finding.because:
            text = self.scene.text(place.path)
            source = ""
            row = text.position(place.span.start)[0] if text.text and place.span.start <= len(text.text) else 0
            if row and (place.path, row) not in shown:
                line = text.line(row)
                margin = len(line) - len(line.lstrip())
                start = text.starts[row - 1] + margin
                mark = (place.span.start, min(place.span.stop, start + len(line.rstrip()) - margin))
                source = f'<code class="line">{self._code(place.path, text, start, len(line.rstrip()) - margin, mark)}</code>'
            label = f"{self.scene.relative(place.path)}:{place.row}"
            steps.append(f'<li><span class="say">{inline(place.message)}</span><span class="at">{_text(label)}</span>{source}</li>')
        return f'<ol class="chain" aria-label="Why">{"".join(steps)}</ol>'

    def _fix(self, finding: Finding) -> str:
        fix = finding.fix
        if fix is None:
            return ""
        word, option = _HOW[fix.safety]
        told = f' title="{_quoted("mplint " + option)}"' if option else ""
        body = ""
        if fix.edits:
            text = self.scene.text(finding.path)
            lines = []
            for change in changes(text, fix.edits, 1):
                kind = {"+": "add", "-": "del", " ": "same", "": "gap"}[change.sign]
                number = "" if change.sign in {"+", ""} else str(self.scene.row(finding, change.row))
                lines.append(f'<span class="l {kind}" data-n="{number}">{_text(change.text) if change.sign else "⋮"}</span>')
            body = f'<pre class="diff">{"".join(lines)}</pre>'
        head = f'<summary>{inline(fix.title)} <span class="how {word.split()[0]}"{told}>{word}</span></summary>'
        return f'<details class="fix" open>{head}{body}</details>'


def _inside(scope: str) -> str:
    return f'<span class="scope">in {_text(scope)}</span>' if scope and scope != "<module>" else ""


def _data(worker_map: WorkerMap, scene: Scene) -> str:
    """The map for the script: paths relative, indices as in WorkerMap, `home` and `hot` a worker from it."""
    homes, hot = worker_map.homes(), worker_map.dangerous()
    data = {
        "handovers": [
            {
                "title": h.title,
                "inside": h.inside,
                "at": f"{scene.relative(h.path)}:{h.row}",
                "how": [word for word in (h.start, "" if h.where == "process" else "processes or threads") if word],
                "runs": [[r.worker, r.role] for r in h.runs],
                "hazards": h.hazards,
                "open": h.open,
            }
            for h in worker_map.handovers
        ],
        "workers": [
            {
                "name": w.name,
                "at": f"{scene.relative(w.path)}:{w.row}",
                "calls": [[c.worker, c.row] for c in w.calls],
                "hazards": w.hazards,
                "home": homes[index],
                "hot": index in hot,
            }
            for index, w in enumerate(worker_map.workers)
        ],
        "hazards": [{"code": h.code, "message": h.message, "severity": h.severity, "finding": h.finding} for h in worker_map.hazards],
    }
    written = compact(data)
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return importlib.resources.files("mplint.report").joinpath(name).read_text(encoding="utf-8")


def _text(text: str) -> str:
    return html.escape(text, quote=False)


def _quoted(text: str) -> str:
    return html.escape(text, quote=True)
