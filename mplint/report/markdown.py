"""The little Markdown that rule pages are written in, as HTML: headings, paragraphs, lists, fenced code, inline marks."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from mplint.report.highlight import painted, tokens

_ITEM = re.compile(r"^(?:[-*]|\d+\.)\s+")
_INLINE = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\[(?P<text>[^\]]+)\]\((?P<url>https?://[^)\s]+)\)|<(?P<bare>https?://[^>\s]+)>")


def to_html(text: str) -> str:
    """The blocks of a page; raw HTML in it is shown, not obeyed.  Headings start at level 4."""
    return "".join(_blocks(text.split("\n")))


def inline(text: str) -> str:
    """The marks inside a paragraph: code, strong, links."""
    pieces, at = [], 0
    for match in _INLINE.finditer(text):
        pieces.append(html.escape(text[at : match.start()], quote=False))
        at = match.end()
        if match["code"] is not None:
            pieces.append(f"<code>{html.escape(match['code'], quote=False)}</code>")
        elif match["strong"] is not None:
            pieces.append(f"<strong>{html.escape(match['strong'], quote=False)}</strong>")
        else:
            url = match["url"] or match["bare"]
            pieces.append(f'<a href="{html.escape(url)}" rel="noreferrer">{html.escape(match["text"] or url, quote=False)}</a>')
    return "".join(pieces) + html.escape(text[at:], quote=False)


def _blocks(lines: list[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("```"):
            stop = next((n for n in range(at + 1, len(lines)) if lines[n].startswith("```")), len(lines))
            code = "\n".join(lines[at + 1 : stop])
            shown = painted(code, 0, len(code), tokens(code)) if line[3:].strip() == "python" else html.escape(code, quote=False)
            yield f'<pre class="code-block">{shown}</pre>'
            at = stop + 1
        elif heading := re.match(r"(#+)\s+(.*)", line):
            level = min(len(heading[1]) + 2, 6)
            yield f"<h{level}>{inline(heading[2])}</h{level}>"
            at += 1
        elif _ITEM.match(line):
            stop = at
            items: list[str] = []
            while stop < len(lines) and (_ITEM.match(lines[stop]) or lines[stop].startswith("  ")):
                if _ITEM.match(lines[stop]):
                    items.append(_ITEM.sub("", lines[stop]))
                else:
                    items[-1] += " " + lines[stop].strip()
                stop += 1
            name = "ol" if line[0].isdigit() else "ul"
            yield f"<{name}>{''.join(f'<li>{inline(item)}</li>' for item in items)}</{name}>"
            at = stop
        elif line.strip():
            stop = at
            while stop < len(lines) and lines[stop].strip() and not lines[stop].startswith(("```", "#")) and (stop == at or not _ITEM.match(lines[stop])):
                stop += 1
            yield f"<p>{inline(' '.join(part.strip() for part in lines[at:stop]))}</p>"
            at = stop
        else:
            at += 1
