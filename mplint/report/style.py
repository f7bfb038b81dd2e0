"""How a report looks on this terminal: colours, links, line drawing and width, decided once and passed on as a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

import msgspec

_SGR = {
    "strong": "1",
    "dim": "2",
    "error": "1;31",
    "warning": "1;33",
    "note": "1;34",
    "path": "36",
    "step": "1;36",
    "good": "32",
    "bad": "31",
    "mark": "1;33",
}
_LINKING_PROGRAMS = {"iTerm.app", "WezTerm", "vscode", "Hyper", "ghostty", "Tabby", "rio"}
_LINKING_TERMS = {"xterm-kitty", "alacritty", "foot", "xterm-ghostty", "wezterm", "contour"}


class Style(msgspec.Struct, frozen=True):
    """`width` is the number of columns of the terminal, 0 where the output is no terminal and nothing need be wrapped."""

    color: bool = False
    links: bool = False
    unicode: bool = True
    width: int = 0

    def paint(self, text: str, role: str) -> str:
        """`text` in the colour of a role ("strong", "dim", "error", "warning", "note", "path", "step", "good", "bad", "mark")."""
        return f"\x1b[{_SGR[role]}m{text}\x1b[0m" if self.color and text else text

    def link(self, text: str, url: str) -> str:
        """`text` that opens `url` when clicked (OSC 8), or just `text`."""
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if self.links and url else text

    def draw(self, fine: str, plain: str) -> str:
        """A piece of line drawing, or its stand-in where the output cannot hold it."""
        return fine if self.unicode else plain


PLAIN = Style()


def style_for(stream: TextIO, *, color: str = "auto", environ: Mapping[str, str]) -> Style:
    """The style for a stream: `color` is "auto", "always" or "never"; NO_COLOR and FORCE_COLOR decide for "auto", then the terminal."""
    terminal = _is_terminal(stream)
    if color == "auto":
        if environ.get("NO_COLOR"):
            colored = False
        elif environ.get("FORCE_COLOR", "0") not in {"", "0", "false"}:
            colored = True
        else:
            colored = terminal and environ.get("TERM") != "dumb"
    else:
        colored = color == "always"
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "")
    return Style(
        color=colored,
        links=_links(terminal and colored, environ),
        unicode=encoding.startswith("utf"),
        width=_columns() if terminal else 0,
    )


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def _links(terminal: bool, environ: Mapping[str, str]) -> bool:
    if forced := environ.get("FORCE_HYPERLINK"):
        return forced != "0"
    if not terminal or environ.get("CI"):
        return False
    vte = environ.get("VTE_VERSION", "")
    return (
        environ.get("TERM_PROGRAM") in _LINKING_PROGRAMS
        or environ.get("TERM") in _LINKING_TERMS
        or any(name in environ for name in ("WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM"))
        or (vte.isdigit() and int(vte) >= 5000)
    )
