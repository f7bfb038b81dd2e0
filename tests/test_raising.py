"""What leaves a function: each program states, by function, what does and how."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from mplint.project import Project
from mplint.source import Sources

PROGRAM = """\
    import contextlib, os, sys
    from errors import Late, Stop


    def plain():
        raise Late("now")


    def below(x):
        if x:
            return plain()


    def caught():
        try:
            plain()
        except RuntimeError:
            pass


    def caught_by_another():
        try:
            plain()
        except (KeyError, ValueError):
            pass


    def passed_on():
        try:
            plain()
        except Exception as error:
            print(error)
            raise


    def replaced():
        try:
            plain()
        except Late as error:
            raise ValueError from error


    def suppressed():
        with contextlib.suppress(Late):
            plain()


    def overruled():
        try:
            plain()
        finally:
            return 1


    def leaving():
        try:
            sys.exit(1)
        except Exception:
            pass


    def stopping():
        try:
            raise Stop
        except Exception:
            pass


    def kept():
        try:
            sys.exit(1)
        except BaseException:
            pass


    def ended():
        try:
            os._exit(1)
        except:
            pass


    def child():
        if os.fork() == 0:
            os._exit(0)


    def checked(x):
        assert x


    def unknown(error):
        raise error


    def implicit(x):
        try:
            return int(x)
        except ValueError:
            raise


    def even(n):
        if n < 0:
            raise Late
        return odd(n - 1)


    def odd(n):
        return even(n - 1)


    def generated():
        yield 1
        raise Late


    def lazy():
        return generated()


    def iterated():
        for _ in generated():
            pass


    async def awaited():
        plain()


    def not_awaited():
        return awaited()


    class Base:
        def run(self):
            return self.step()

        def step(self):
            raise NotImplementedError
    """

ERRORS = """\
    class Late(RuntimeError):
        pass


    class Stop(BaseException):
        pass
    """

EXPECTED = {
    "plain": {"raise Late"},
    "below": {"raise Late"},
    "caught": set(),
    "caught_by_another": {"raise Late"},
    "passed_on": {"raise Late"},
    "replaced": {"raise ValueError"},
    "suppressed": set(),
    "overruled": set(),
    "leaving": {"exit SystemExit"},
    "stopping": {"raise Stop"},
    "kept": set(),
    "ended": {"end "},
    "child": set(),
    "checked": {"assert AssertionError"},
    "unknown": {"raise "},
    "implicit": {"again ValueError"},
    "even": {"raise Late"},
    "odd": {"raise Late"},
    "lazy": set(),
    "iterated": {"raise Late"},
    "awaited": {"raise Late"},
    "not_awaited": set(),
    "Base.run": set(),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("raising")
    for name, text in {"program.py": PROGRAM, "errors.py": ERRORS}.items():
        (root / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return Project(Sources(str(root), (str(root / "program.py"), str(root / "errors.py"))))


@pytest.mark.parametrize("name", EXPECTED)
def test_escapes(project: Project, name: str) -> None:
    module = project.module(next(p for p in project.sources.files if Path(p).name == "program.py"))
    assert module is not None
    function = module.function(name)
    assert function is not None
    assert {f"{e.how} {e.title}" for e in project.escapes(function)} == EXPECTED[name]


@pytest.mark.parametrize(
    "name, never", [("plain", True), ("replaced", True), ("below", False), ("passed_on", True), ("caught", False), ("odd", False), ("generated", False)]
)
def test_never_returns(project: Project, name: str, never: bool) -> None:
    module = project.module(next(p for p in project.sources.files if Path(p).name == "program.py"))
    assert module is not None
    function = module.function(name)
    assert function is not None
    assert project.never_returns(function) is never


def test_ancestry_tells_exits_from_exceptions(project: Project) -> None:
    module = project.module(project.sources.files[0])
    assert module is not None
    found = {name: next(iter(project.escapes(module.function(name) or module.body))) for name in ("plain", "stopping", "ended", "unknown")}
    assert {name: (e.is_exception, e.is_exit) for name, e in found.items()} == {
        "plain": (True, False), "stopping": (False, True), "ended": (False, True), "unknown": (False, False),
    }  # fmt: skip
    (below,) = project.escapes(module.function("below") or module.body)
    assert [step.message for step in below.because] == ["`below` calls `plain`"]
