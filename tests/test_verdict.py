"""The verdict on exception classes: shapes by name, bases outside the project, versions, constructions, words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from exception_verdicts import predicted, repaired
from random_exceptions import reality

from mplint.environment import module_file, site_packages
from mplint.project import Limits, Project
from mplint.source import Sources
from mplint.verdict.alarms import alarms, verdict_on

SHAPES = {
    "fewer": ("FAIL", "class Broken(Exception):\n    def __init__(self, a, b):\n        super().__init__(a)\n", "Broken('x', 1)"),
    "constant": ("FAIL", "class Broken(Exception):\n    def __init__(self):\n        super().__init__('text')\n", "Broken()"),
    "empty super": ("FAIL", "class Broken(Exception):\n    def __init__(self, a):\n        super().__init__()\n        self.a = a\n", "Broken('x')"),
    "no super": ("OK", "class Broken(Exception):\n    def __init__(self, a, b):\n        self.a = a\n", "Broken('x', 1)"),
    "no super, keyword": ("FAIL", "class Broken(Exception):\n    def __init__(self, a, b):\n        self.a = a\n", "Broken('x', b=1)"),
    "OSError, no super": ("FAIL", "class Broken(OSError):\n    def __init__(self, a):\n        self.a = a\n", "Broken('x')"),
    "formatted": ("CORRUPT", "class Broken(Exception):\n    def __init__(self, a):\n        super().__init__(f'bad {a}')\n", "Broken('x')"),
    "typed": ("FAIL", "class Broken(Exception):\n    def __init__(self, a):\n        super().__init__('%d rows' % a)\n", "Broken(3)"),
    "args reordered": (
        "CORRUPT", "class Broken(Exception):\n    def __init__(self, a, b):\n        super().__init__(a)\n        self.args = (b, a)\n", "Broken('x', 1)",
    ),
    "args right": ("OK", "class Broken(Exception):\n    def __init__(self, a, b):\n        super().__init__(a)\n        self.args = (a, b)\n", "Broken('x', 1)"),
    "slots": (
        "CORRUPT", "class Broken(Exception):\n    __slots__ = ('b',)\n    def __init__(self, a, b=0):\n        super().__init__(a)\n        self.b = b\n", "Broken('x', 1)",
    ),
    "lock": ("DUMP", "import threading\nclass Broken(Exception):\n    def __init__(self, a):\n        self.lock = threading.Lock()\n", "Broken('x')"),
    "self in args": ("DUMP", "class Broken(Exception):\n    def __init__(self, a):\n        super().__init__(self, a)\n", "Broken('x')"),
    "property": (
        "FAIL",
        "class Broken(Exception):\n    def __init__(self, a):\n        super().__init__(a)\n        self.__dict__['b'] = a\n    @property\n    def b(self):\n        return 1\n",
        "Broken('x')",
    ),
    "new drops": ("FAIL", "class Broken(Exception):\n    def __new__(cls, *args):\n        return super().__new__(cls)\n    def __init__(self, a):\n        self.a = a\n", "Broken('x')"),
    "wrong reduce of two": (
        "CORRUPT",
        "class A(Exception):\n    def __init__(self, a):\n        super().__init__(a)\n    def __reduce__(self):\n        return A, self.args\nclass Broken(A, OSError):\n    pass\n",
        "Broken('x')",
    ),
    "list built": ("CORRUPT", "class Broken(Exception):\n    def __init__(self, a):\n        parts = ['bad']\n        parts.append(a)\n        super().__init__(' '.join(parts))\n", "Broken('x')"),
    "method builds": (
        "CORRUPT", "class Broken(Exception):\n    def __init__(self, a):\n        self.a = a\n        super().__init__(self.text())\n    def text(self):\n        return 'bad ' + self.a\n", "Broken('x')",
    ),
    "caught inside": (
        "OK",
        "class Broken(Exception):\n    def __init__(self, a):\n        try:\n            a = a.decode()\n        except AttributeError:\n            pass\n        super().__init__(a)\n",
        "Broken(b'x')",
    ),
    "nothing to format with": (
        "OK",
        "class Broken(Exception):\n    message = 'no %(name)s'\n    def __init__(self, msg=None, **kwargs):\n        if msg is None:\n            msg = self.message\n"
        "        try:\n            msg = msg % kwargs\n        except Exception:\n            msg = self.message\n        super().__init__(msg)\n",
        "Broken(name=chr(120))",
    ),
    "called if it can be": (
        "CORRUPT",
        "class Broken(Exception):\n    def __init__(self, codes=(), *args):\n        self.codes = tuple(c() if callable(c) else c for c in codes)\n        super().__init__(*args)\n",
        "Broken((1,), 'x')",
    ),
    "name of a class": ("FAIL", "class Broken(Exception):\n    def __init__(self, kind):\n        super().__init__(f'{kind.__name__} is missing')\n", "Broken(int)"),
    "the same function": (
        "CORRUPT", "import string\nclass Broken(Exception):\n    def __init__(self, a):\n        super().__init__('bad ' + string.capwords(a).split()[0])\n", "Broken('x y')",
    ),
    "white space alone": (
        "CORRUPT", "import textwrap\nclass Broken(Exception):\n    def __init__(self, a):\n        super().__init__(textwrap.fill(textwrap.dedent(f'  no {a}')))\n", "Broken('x')",
    ),
    "white space of a constant": (
        "CORRUPT",
        "import textwrap\nclass Broken(Exception):\n    def __init__(self, a):\n        text = textwrap.dedent('  no {a}')\n        super().__init__(textwrap.fill(text.format(a=a)))\n",
        "Broken('x')",
    ),
    "member of an enum": (
        "FAIL",
        "import enum\nclass Code(enum.Enum):\n    A = 1\nclass Base(Exception):\n    def __init__(self, a, code):\n        super().__init__(a)\n        self.code = code\n"
        "class Broken(Base):\n    def __init__(self, a, b):\n        super().__init__(f'{a}: {b}', Code.A.value)\n",
        "Broken('x', 'y')",
    ),
    "member of a text enum": (
        "OK",
        "import enum\nclass Code(str, enum.Enum):\n    A = 'a'\nclass Broken(Exception):\n    def __init__(self, a, code=Code.A):\n        super().__init__(a)\n        self.code = code.value\n",
        "Broken('x')",
    ),
    "what goes on elsewhere": (
        "OK",
        "import asyncio\nclass Broken(Exception):\n    def __init__(self, a):\n        loop = asyncio._get_running_loop()\n        if loop is not None:\n            a = f'{a} in {loop}'\n        super().__init__(a)\n",
        "Broken('x')",
    ),
    "attribute without a value": ("OK", "class Broken(Exception):\n    a: int\n    def __init__(self, a):\n        super().__init__(a)\n        self.a = a\n", "Broken(1)"),
    "version flag": (
        "OK",
        "import sys\nPY2 = sys.version_info[0] == 2\nclass Broken(Exception):\n    def __init__(self, a):\n        if PY2:\n            a = a.encode()\n        super().__init__(a)\n",
        "Broken('x')",
    ),
    "group": ("OK", "class Broken(ExceptionGroup):\n    def __init__(self, message, excs, extra=None):\n        super().__init__(message, excs)\n", "Broken('x', [ValueError(1)])"),
    "library class behind a builtin one": (
        "FAIL",
        "import json\nclass Request(OSError):\n    def __init__(self, *args):\n        super().__init__(*args)\n"
        "class Broken(Request, json.JSONDecodeError):\n    def __init__(self, *args):\n        json.JSONDecodeError.__init__(self, *args)\n"
        "        Request.__init__(self, *self.args)\n",
        "Broken('bad', 'text', 0)",
    ),
    "class of what it is given": (
        "CORRUPT", "class Broken(Exception):\n    def __init__(self, a):\n        super().__init__(f'no {a.__class__.__name__}')\n", "Broken(opaque(1))",
    ),
    "validated again": (
        "CORRUPT",
        "def strange(text):\n    return [c for c in text if ord(c) > 126]\n"
        "class Broken(Exception):\n    def __init__(self, text):\n        if found := strange(text):\n            raise ValueError(found)\n"
        "        super().__init__(f'bad: {text}')\n",
        "Broken(opaque('x'))",
    ),
    "class of a library": (
        "CORRUPT",
        "import fractions\nclass Broken(Exception):\n    def __init__(self, a, reason=None):\n        text = f'{a} failed'\n"
        "        if isinstance(reason, fractions.Fraction) and reason.numerator:\n            text += f' by {reason}'\n        super().__init__(text)\n",
        "Broken(opaque('x'))",
    ),
    "quoted twice": ("CORRUPT", "import json\nclass Broken(Exception):\n    def __init__(self, a):\n        super().__init__(json.dumps(a))\n", "Broken(opaque('x'))"),
    "cleaned": (
        "OK",
        "class Broken(Exception):\n    def __init__(self, message: str):\n        super().__init__(message.replace('@all', 'all').replace('@here', 'here'))\n",
        "Broken(opaque('x'))",
    ),
    "cleaned by the base": (
        "CORRUPT",
        "class Clean(Exception):\n    def __init__(self, message):\n        super().__init__(message.replace('@all', 'all').replace('@here', 'here'))\n"
        "class Broken(Clean):\n    def __init__(self, name):\n        super().__init__('no {}.'.format(name))\n",
        "Broken(opaque('x'))",
    ),
    "translated": (
        "FAIL",
        "def _(text):\n    return opaque(text)\ndef opaque(x):\n    return x\n"
        "class Broken(Exception):\n    def __init__(self, a: dict):\n        super().__init__(_('bad: %s') % ', '.join(a.keys()))\n",
        "Broken({'k': 1})",
    ),
    "its attributes": (
        "FAIL", "class Broken(Exception):\n    def __init__(self, a):\n        super().__init__(f'{len(vars(a))} attributes')\n", "Broken(opaque(OSError))",
    ),
    "property of a class": (
        "OK",
        "class classproperty(property):\n    def __get__(self, obj, cls):\n        return self.fget(cls)\n"
        "class Broken(Exception):\n    def __init__(self, a, b=None):\n        super().__init__(a, b if b is not None else self.default)\n"
        "    @classproperty\n    def default(cls):\n        return 303\n",
        "Broken('x')",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_shape(name: str) -> None:
    wanted, text, made = SHAPES[name]
    source = f"{text}\ndef make(opaque):\n    return {made}\n"
    if "ExceptionGroup" in source and sys.version_info < (3, 11):
        pytest.skip("this Python has no exception groups, and mplint knows the builtins of the Python that it runs on")
    assert reality(source) == wanted
    found = predicted(source)
    assert found is not None and found.kind == wanted, found


def test_a_metaclass_is_read_where_it_is_written() -> None:
    """`abc` means something in the module of the base only."""
    files = {
        "/p/base.py": "import abc\nclass Call(Exception, metaclass=abc.ABCMeta):\n    pass\n",
        "/p/own.py": "from base import Call\nclass Broken(Call):\n    def __init__(self, a, b):\n        super().__init__(a)\n",
    }
    project = Project(Sources("/p", tuple(files), {path: text.encode() for path, text in files.items()}))
    module = project.module("/p/own.py")
    assert module is not None
    cls = module.class_("Broken")
    assert cls is not None
    found = verdict_on(project, cls)
    assert found is not None and found.kind == "FAIL"


def test_a_method_of_texts_may_be_called_again() -> None:
    """Whether `message` is a text nobody says: its copy, which is one as far as can be seen, has the method, too."""
    found = predicted("class Broken(Exception):\n    def __init__(self, message):\n        super().__init__(message.replace('a', 'b').replace('c', 'd'))\n")
    assert found is not None and found.kind in {"OK", "UNKNOWN"}


def test_a_list_of_one_may_join_to_itself() -> None:
    text = (
        "def uniq(seq):\n    seen = set()\n    add = seen.add\n    return [x for x in seq if x not in seen and not add(x)]\n"
        "class Broken(Exception):\n    def __init__(self, autos):\n        self.autos = autos if type(autos) is list else [autos]\n"
        "        Exception.__init__(self, ', '.join(uniq(a for a in self.autos if a is not None)))\n"
    )
    found = predicted(text)
    assert found is not None and found.kind in {"OK", "UNKNOWN"}
    found = predicted(text.replace("self.autos if a", "autos if a"))
    assert found is not None and found.kind == "CORRUPT"


def test_a_construction_that_raises_is_none() -> None:
    """Where every construction in the project fails (a bug of its own), the class is judged as its users construct it."""
    text = "class Broken(Exception):\n    def __init__(self, a, b):\n        super().__init__(a)\ndef f():\n    raise Broken('x')\n"
    found = predicted(text)
    assert found is not None and found.kind == "FAIL"


def test_constructions_by_the_name_of_a_package() -> None:
    """`import pack; pack.Broken(...)`, where the package, or one in it, gives out the class."""
    files = {
        "/p/pack/__init__.py": "from pack.inner import *\n",
        "/p/pack/inner/__init__.py": "from .errors import Broken\n",
        "/p/pack/inner/errors.py": "class Broken(Exception):\n    def __init__(self, *, place=None):\n        super().__init__()\n        self.place = place\n",
        "/p/pack/use.py": "import pack\ndef f():\n    raise pack.Broken(place='here')\n",
    }
    project = Project(Sources("/p", tuple(files), {path: text.encode() for path, text in files.items()}))
    module = project.module("/p/pack/inner/errors.py")
    assert module is not None
    cls = module.class_("Broken")
    assert cls is not None
    assert [site.function.path for site in project.constructions(cls)] == ["/p/pack/use.py"]


def test_constructions_in_tests_alone_are_not_all() -> None:
    """What a test makes may survive although what users make does not."""
    files = {
        "/p/errors.py": "class Broken(Exception):\n    def __init__(self, text, place='?'):\n        super().__init__(f'bad in {place}')\n",
        "/p/tests/test_errors.py": "from errors import Broken\ndef test_it():\n    Broken('x')\n",
    }
    project = Project(Sources("/p", tuple(files), {path: text.encode() for path, text in files.items()}))
    module = project.module("/p/errors.py")
    assert module is not None
    cls = module.class_("Broken")
    assert cls is not None
    found = verdict_on(project, cls)
    assert found is not None and found.scenario is not None and found.scenario.site is None


def test_attribute_error_keeps_its_args_since_3_12() -> None:
    source = "class Broken(AttributeError):\n    def __init__(self, name):\n        super().__init__(f'no {name}')\n"
    old, new = predicted(source, version=(3, 11)), predicted(source, version=(3, 12))
    assert old is not None and new is not None
    assert (old.kind, new.kind) == ("CORRUPT", "OK")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("from subprocess import CalledProcessError\nclass Broken(CalledProcessError):\n    pass\n", "OK"),
        ("import json\nclass Broken(json.JSONDecodeError):\n    def __init__(self, text):\n        super().__init__('bad', text, 0)\n", "FAIL"),
        ("import socket\nclass Broken(socket.timeout):\n    def __init__(self, host, port):\n        super().__init__(host)\n", "FAIL"),
        ("import click\nclass Broken(click.ClickException):\n    def __init__(self, message, code):\n        super().__init__(message)\n", "FAIL"),
        ("import nobody\nclass Broken(nobody.Error):\n    def __init__(self, a, b):\n        super().__init__(a)\n", None),
        ("from nobody import Error\nclass Broken(Error, ValueError):\n    def __init__(self, a, b):\n        super().__init__(a)\n", "UNKNOWN"),
    ],
)
def test_base_outside_the_project(text: str, wanted: str | None) -> None:
    found = predicted(text)
    assert (found.kind if found is not None else None) == wanted


def test_base_in_an_environment(tmp_path: Path) -> None:
    folder = tmp_path / "lib" / "python3.12" / "site-packages"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "__init__.py").write_text("from .errors import Refused as Refused\n")
    (folder / "shop" / "errors.py").write_text("class Refused(Exception):\n    def __init__(self, why):\n        super().__init__(why)\n")
    path = str(tmp_path / "main.py")
    text = "import shop\nclass Late(shop.Refused):\n    def __init__(self, why, days):\n        super().__init__(why)\n"
    for python, wanted in ((str(tmp_path), "FAIL"), (None, None)):
        limits = Limits(libraries=site_packages(python))
        project = Project(Sources(str(tmp_path), (path,), {path: text.encode()}), limits=limits)
        module = project.module(path)
        assert module is not None
        cls = module.class_("Late")
        assert cls is not None
        found = verdict_on(project, cls)
        assert (found.kind if found is not None else None) == wanted


def test_module_file_of_the_standard_library() -> None:
    found = module_file("json.decoder", ())
    assert found is not None and found.endswith("decoder.py")
    assert module_file("nobody.at.home", ()) is None


def _alarms(text: str, kind: str) -> list[tuple[str, list[str]]]:
    path = "/words/main.py"
    project = Project(Sources("/words", (path,), {path: text.encode()}))
    module = project.module(path)
    assert module is not None
    return [(a.message, [step.message for step in a.because]) for a in alarms(module, project, "MP201", kind)]


def test_words() -> None:
    text = "class E(Exception):\n    def __init__(self, message, code):\n        super().__init__(message)\nclass F(E):\n    pass\n"
    first, second = _alarms(text, "FAIL")
    assert first[0].startswith("`E` fails to unpickle: `__init__` needs `code`, but `args` carries only `message`; as soon as a worker raises it")
    assert second[0].startswith("`F` fails to unpickle: `E.__init__` needs `code`")
    assert second[1] == ["`E.__init__` is the constructor that pickle calls"]


def test_the_way_to_the_worker() -> None:
    text = (
        "from multiprocessing import Pool\n"
        "class E(Exception):\n    def __init__(self, message, code):\n        super().__init__(message)\n"
        "def work(x):\n    raise E('bad', x)\n"
        "def main():\n    with Pool() as pool:\n        pool.map(work, [1])\n"
    )
    ((message, because),) = _alarms(text, "FAIL")
    assert "as soon as" not in message
    assert "`E` is made here, in the worker" in because


def test_fix_is_withheld_from_what_it_would_break() -> None:
    text = (
        "class Broken(Exception):\n    def __init__(self, a, b):\n        super().__init__(a)\n"
        "class Sub(Broken, OSError):\n    def __init__(self, a):\n        super().__init__(a, 1)\n"
        "    def __setattr__(self, name, value):\n        raise AttributeError(name)\n"
    )
    assert "copyreg.__newobj__, (type(self), *self.args)" not in repaired(text).split("class Sub")[0]


def test_fix_of_the_base_repairs_the_subclass() -> None:
    text = "class Broken(Exception):\n    def __init__(self, a, b):\n        super().__init__(a)\nclass Sub(Broken):\n    def __init__(self, a, b, c):\n        super().__init__(a, b)\n"
    after = repaired(text)
    assert after.count("__reduce__") == 1
    found = predicted(after, "Sub")
    assert found is not None and found.kind == "OK"
