"""Cutting function bodies out changes nothing about the outline."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path

import pytest

from mplint.facts import outline
from mplint.source.skeleton import skeleton

LIBRARY = Path(asyncio.__file__).parents[1]
FILES = [*sorted(LIBRARY.glob("asyncio/*.py")), *sorted(LIBRARY.glob("multiprocessing/*.py")), *sorted(LIBRARY.glob("[dt-u]*.py"))]


def whole(source: str, monkeypatch: pytest.MonkeyPatch) -> outline.Outline:
    monkeypatch.setattr(outline, "LONG", len(source) + 1)
    return outline.outline_of(source)


def cut(source: str, monkeypatch: pytest.MonkeyPatch) -> outline.Outline:
    monkeypatch.setattr(outline, "LONG", 0)
    return outline.outline_of(source)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_outline_is_that_of_the_whole_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = path.read_text(encoding="utf-8")
    assert cut(source, monkeypatch) == whole(source, monkeypatch)


def test_most_of_a_module_is_cut_out() -> None:
    sources = [path.read_text(encoding="utf-8") for path in FILES]
    assert sum(len(skeleton(s)) for s in sources) < 0.45 * sum(map(len, sources))


TRICKY = {
    "text at the margin": 'def f():\n    x = """\ndef g():\n    pass\n"""\n    return x\n\n\ndef h(): pass\n',
    "two of them": 'def f():\n    x = """\nimport os\n"""\n    y = \'\'\'\n"""\n\'\'\'\n\n\ndef h():\n    pass\n',
    "quotes in a comment": 'def f():\n    pass  # """\n\n\ndef g():\n    x = """\ny = 1\n"""\n\n\ndef h():\n    pass\n',
    "quotes in a comment after the body": 'def f():\n    pass\n    # """ and so on\n\n\ndef g():\n    pass\n',
    "text that ends like a comment": 'def f():\n    x = """\n    # end"""\n\n\ndef g():\n    pass\n',
    "continued lines": "def f():\n    return x == \\\n1\n\n\ndef g():\n    pass\n",
    "brackets at the margin": "def f(\na,\nb\n):\n    return [\na,\n]\n\n\ndef g():\n    pass\n",
    "decorators": "import a\n\n\n@a.b(\n    1\n)\n# why\n@a.c\nasync def f(x: int = 1) -> None:\n    pass\n\n\n@a.d\nclass C:\n    @property\n    def p(self): return 1\n",
    "comments at the margin": "def f():\n    pass\n# about\n    return 1\n# after\n\nx = 1\n",
    "class in class": "class A(B):\n    '''Doc.\n\n    def no(self): ...\n    '''\n    x = 1\n    class I:\n        def f(self):\n            pass\n        y = 2\n    def g(self):\n        def inner(): pass\n\n    z = 3\n",
    "one line": "class A: x = 1\nclass B(A): pass\ndef f(): return 1\nasync def g(): return 2; x = 3\n",
    "unusual heads": 'class A(x["a:b"], metaclass=M):\n    def f(self):\n        pass\n\n\nclass B(  # why: so\n    A,\n):\n\n    # first\n\n    def g(self):\n        pass\n',
    "definitions under conditions": "if x:\n    def f():\n        pass\nelse:\n    def f():\n        return 1\ntry:\n    import a\nexcept ImportError:\n    a = None\n",
    "tabs": "class A:\n\tdef f(self):\n\t\tif 1:\n\t\t\treturn 1\n\tx = 1\n",
    "other line ends": "def f():\r\n    pass\r\nx = 1\r\n",
    "no line end": "def f():\n    pass",
    "nothing": "",
    "only comments": "# a\n",
    "names that begin like keywords": "define = 1\nasynchronous = 2\nclass_ = 3\nclasses = 4\n",
    "type parameters": "class A(B):\n    def f(self) -> dict[str, int]:\n        pass\n",
}


@pytest.mark.parametrize("source", TRICKY.values(), ids=TRICKY)
def test_outline_of_tricky_text(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cut(source, monkeypatch) == whole(source, monkeypatch)


def test_lines_stay_where_they_are() -> None:
    source = "x = 1\n\n\ndef f(a,\n      b):\n    '''Doc.\n\n    '''\n    return a\n\n\nclass C:\n    def g(self):\n        pass\n\ny = 2\n"
    assert skeleton(source) == "x = 1\n\n\ndef f(\n\n\n\n\n): ...\n\n\nclass C:\n    def g(\n): ...\n\ny = 2\n"


def test_a_long_module_with_a_broken_function_still_has_an_outline(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "def f():\n    return )\n\n\ndef g():\n    pass\n"
    assert list(cut(source, monkeypatch).functions) == ["f", "g"]
    with pytest.raises(SyntaxError):
        whole(source, monkeypatch)


def test_broken_module_level_code_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SyntaxError):
        cut("x = )\n", monkeypatch)


def test_no_warning_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        cut("x = '\\d'\n", monkeypatch)
    assert not seen
