"""What the engine saw of a module, as a digest: two texts with the same one lead it the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Set

import msgspec

from mplint.facts.outline import Outline
from mplint.source import Lines, lines_of
from mplint.source.look import Look
from mplint.source.words import code_of, is_remark, names_in, without_remarks


def meaning_of(outline: Outline, lines: Lines, look: Look, sought: Set[str]) -> bytes:
    """Digest of what the engine saw of a module: its outline, wherever in the file things stand, and of its pages what it looked for."""
    plain = tuple(msgspec.structs.replace(page, first=0, last=0) for page in outline.pages)
    digest = hashlib.blake2b(msgspec.msgpack.encode(msgspec.structs.replace(outline, pages=plain)), digest_size=16)
    held, near, named = sorted(look.held), look.nearby, sought if look.named else frozenset()
    for number, page in enumerate(outline.pages):
        text = lines.between(page.first, page.last)
        code = (without_remarks(text),) if number in look.read else ()
        for seen in (*code, *_seen(text, near, named)):
            digest.update(seen.encode("utf-8", "surrogatepass") + b"\0")
        digest.update(b"\0" + bytes(word in text for word in held) + b"\0\0")
    return digest.digest()


def _seen(text: str, near: Set[str], sought: Set[str]) -> Iterator[str]:
    """The names of `sought` in the code of a page, and its lines that have one of `near`, each with the line of code behind it."""
    if not near and not sought:
        return
    found = names_in(text)
    if not found.isdisjoint(sought):
        yield from sorted(names_in(code_of(text)) & sought)
    if not found.isdisjoint(near):
        last = False
        for line in lines_of(text):
            is_near = not names_in(line).isdisjoint(near)
            is_code = not is_remark(line)
            if is_near or (last and is_code):
                yield line
            last = is_near or (last and not is_code)


def new_in(outline: Outline, before: Outline, lines: Lines, look: Look, sought: Set[str]) -> Iterator[tuple[str, int]]:
    """The functions of the module level that were not there `before` and hold nothing that was looked for: name and page of each."""
    for name, pages in outline.functions.items():
        if name not in before.functions and len(pages) == 1 and outline.pages[pages[0]].kind == "function" and not name.startswith("__"):
            page = outline.pages[pages[0]]
            text = lines.between(page.first, page.last)
            names = names_in(text)
            seen = (look.named and not names.isdisjoint(sought)) or any(word in text for word in look.held)
            if not seen and names.isdisjoint(look.nearby):
                yield name, pages[0]


def without(outline: Outline, pages: Set[int]) -> Outline:
    """The outline without the functions of the module level on these pages."""
    number = {old: at for at, old in enumerate(pages_without(outline, pages))}

    def moved(table: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        return {name: tuple(number[page] for page in found) for name, found in table.items() if pages.isdisjoint(found)}

    classes = {
        name: msgspec.structs.replace(cls, head=number[cls.head], methods=moved(cls.methods), names=moved(cls.names)) for name, cls in outline.classes.items()
    }
    return Outline(tuple(outline.pages[old] for old in number), outline.imports, moved(outline.functions), classes, moved(outline.names))


def pages_without(outline: Outline, pages: Set[int]) -> list[int]:
    """The numbers of the other pages."""
    return [number for number in range(len(outline.pages)) if number not in pages]
