"""Syntax of newer Pythons is outlined by every Python, and mended there."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from command import run

from mplint.facts.outline import outline_of
from mplint.source.older import older

PAIRS = {
    "exceptions without parentheses": (
        "def f():\n    try:\n        g()\n    except KeyError, a.Error:\n        pass\nif x:\n    try:\n        y = 1\n    except OSError , B:\n        pass\n",
        "def f():\n    try:\n        g()\n    except (KeyError, a.Error):\n        pass\nif x:\n    try:\n        y = 1\n    except (OSError , B):\n        pass\n",
    ),
    "groups without parentheses": ("try:\n    x\nexcept* OSError, B:\n    y\n", "try:\n    x\nexcept* (OSError, B):\n    y\n"),
    "aliases": (
        "type A = int\ntype B[T] = list[T]\nclass C:\n    type D[T: (int, str), *U, **P] = dict[str, T]\n",
        "A = int\nB = list[T]\nclass C:\n    D = dict[str, T]\n",
    ),
    "parameters": (
        "def f[T](x: T): pass\nasync def g[T: dict[str, int]]  (x): pass\nclass C[T]: pass\nclass D[\n    T,\n](C):\n    def h[T](self): pass\n",
        "def f(x: T): pass\nasync def g(x): pass\nclass C(): pass\nclass D(\n\nC):\n    def h(self): pass\n",
    ),
    "lazy imports": ("lazy import a\nlazy from b import (c,\nd)\n", "import a\nfrom b import (c,\nd)\n"),
    "nothing of it": (
        "lazy = 1\nlazy.imported\ntype = 1\ntype(x)[0] == 2\nexcepted, a = 1, 2\nclassed[0] = 1\ntry:\n    x\nexcept (A, B):\n    y\nexcept (A, B) as e:  # one, two: three\n    z\n",
        "lazy = 1\nlazy.imported\ntype = 1\ntype(x)[0] == 2\nexcepted, a = 1, 2\nclassed[0] = 1\ntry:\n    x\nexcept (A, B):\n    y\nexcept (A, B) as e:  # one, two: three\n    z\n",
    ),
    "a bracket that is never closed": ("def f[T(x): pass\n", "def f[T(x): pass\n"),
}
LIBRARY = sorted(path for folder in ("", "asyncio", "multiprocessing", "concurrent/futures") for path in (Path(ast.__file__).parent / folder).glob("[c-t]*.py"))


@pytest.mark.parametrize(("newer", "expected"), PAIRS.values(), ids=PAIRS)
def test_rewriting(newer: str, expected: str) -> None:
    assert older(newer) == expected


@pytest.mark.parametrize("name", ["exceptions without parentheses", "aliases", "parameters", "lazy imports"])
def test_the_outline_is_that_of_the_older_words(name: str) -> None:
    newer, expected = PAIRS[name]
    assert outline_of(newer) == outline_of(expected)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python knows no type parameters")
@pytest.mark.parametrize("name", ["aliases", "parameters"])
def test_a_python_that_knows_the_syntax_sees_the_same(name: str) -> None:
    newer, _ = PAIRS[name]
    ast.parse(newer)
    told, said = outline_of(newer), outline_of(older(newer))
    assert (told.pages, told.functions, told.classes) == (said.pages, said.functions, said.classes)


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.name)
def test_code_of_every_python_has_the_same_outline(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert outline_of(older(source)) == outline_of(source)


def test_what_is_wrong_in_any_python_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        outline_of("type A = int\nx = )\n")


def test_newer_code_is_checked_and_mended(tmp_path: Path) -> None:
    source = (
        "from multiprocessing import Pool\n\ntype Pages = list[int]\n\n\ndef work[T](x: T) -> T:\n    try:\n        return x\n"
        "    except KeyError, ValueError:\n        return x\n\n\ndef main(pages: Pages) -> None:\n    with Pool(2) as pool:\n        print(pool.map(work, pages))\n"
    )
    (tmp_path / "app.py").write_text(source)
    done = run("--isolated", "--no-cache", "--fix", "--unsafe-fixes", "app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "app.py").read_text() == source.replace("pool.map(work, pages)", "pool.map_async(work, pages).get(timeout=3600)")
