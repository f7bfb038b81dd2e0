"""Which file a dotted module name means."""

from __future__ import annotations

import sys


class Index:
    """Which file a dotted module name means, for one importing file.

    A file's import root is the deepest of `roots` above it, else its nearest ancestor folder without `__init__`; names are relative to that.
    Namespace packages are found by the end of the path, too, below a folder that is no package itself.  Names of the standard library never
    mean a file of the project.
    """

    def __init__(self, files: tuple[str, ...], roots: tuple[str, ...] = ()) -> None:
        roots = tuple(sorted((root.rstrip("/") for root in roots), key=len, reverse=True))
        packages = {p.rpartition("/")[0] for p in files if p.endswith(("/__init__.py", "/__init__.pyi"))}
        self._packages = packages
        self._place: dict[str, tuple[str, str, bool]] = {}
        self._by_last: dict[str, list[str]] = {}
        self._hits: dict[str, list[str]] = {}
        for path in files:
            folder, _, file = path.rpartition("/")
            stem = file.removesuffix(".pyi").removesuffix(".py")
            is_package = stem == "__init__"
            parts = [] if is_package else [stem]
            root = next((root for root in roots if folder == root or folder.startswith(f"{root}/")), None)
            if root is not None:
                parts = [*filter(None, folder[len(root) + 1 :].split("/")), *parts]
                folder = root
            while root is None and folder in packages:
                folder, _, last = folder.rpartition("/")
                parts.insert(0, last)
            if not parts:
                continue
            self._place[path] = (folder, ".".join(parts), is_package)
            self._by_last.setdefault(parts[-1], []).append(path)

    def name(self, path: str) -> tuple[str, bool]:
        """Dotted name of a file and whether it is a package's `__init__`."""
        _, name, is_package = self._place.get(path, ("", path.rpartition("/")[2].removesuffix(".py"), False))
        return name, is_package

    def find(self, name: str, importer: str) -> str | None:
        """The file that `import name` in `importer` means, None when it is none of the project's."""
        if name not in self._hits:
            self._hits[name] = self._meant(name)
        hits = self._hits[name]
        if len(hits) < 2:
            return hits[0] if hits else None
        return max(hits, key=lambda p: (p.endswith(".py"), _common(p, importer), -len(p)))

    def _meant(self, name: str) -> list[str]:
        if not name or name.partition(".")[0] in sys.stdlib_module_names:
            return []
        candidates = self._by_last.get(name.rpartition(".")[2], ())
        tail = "/" + name.replace(".", "/")
        hits = [p for p in candidates if self._place[p][1] == name]
        if not hits:
            places = {p: p.rpartition(".")[0].removesuffix("/__init__") for p in candidates if "." in name}
            hits = [p for p, place in places.items() if place.endswith(tail) and place.removesuffix(tail) not in self._packages]
        return hits


def _common(a: str, b: str) -> int:
    count = 0
    for x, y in zip(a.split("/"), b.split("/")):
        if x != y:
            break
        count += 1
    return count
