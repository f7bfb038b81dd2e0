"""A small project with findings made by hand, for the tests of the reports."""

from __future__ import annotations

from mplint.finding import Edit, Finding, Fix, Place, Safety, Span
from mplint.report.scene import Scene, Text
from mplint.worker_map import Call, Handover, Hazard, Run, Worker, WorkerMap

ROOT = "/project"

TEXTS = {
    f"{ROOT}/app/main.py": '''\
"""Counts words."""
from multiprocessing import Pool

from app.parse import parse


def main(paths):
    with Pool(4) as pool:
        counts = pool.map(parse, paths)
    return sum(counts)


if __name__ == "__main__":
    print(main(["a", "b"]))
''',
    f"{ROOT}/app/parse.py": """\
class RowError(Exception):
    def __init__(self, row, reason):
        super().__init__(f"row {row}: {reason}")


def parse(path):
    # 数える: the words of one file
    for number, line in enumerate(open(path)):
        if "\\t" not in line:
            raise RowError(number, "no tab")
    return number
""",
    f"{ROOT}/wide.py": 'x = "数字", pool.map(parse,\tpaths)\nlong = [' + ", ".join(f"value_{n}" for n in range(60)) + "]\n",
}


def span(path: str, marked: str, nth: int = 1) -> Span:
    """The `nth` place where `marked` stands in a file of the project."""
    start = -1
    for _ in range(nth):
        start = TEXTS[path].index(marked, start + 1)
    return Span(start, start + len(marked))


def place(path: str, marked: str, message: str, nth: int = 1) -> Place:
    """A step of a chain at `marked`."""
    where = span(path, marked, nth)
    row, column = Text(TEXTS[path]).position(where.start)
    return Place(path, where, row, column, message)


def finding(path: str, marked: str, message: str = "something waits for ever", *, code: str = "MP501", name: str = "some-hazard", **more: object) -> Finding:
    """A finding at `marked`; `more` are further fields."""
    where = span(path, marked)
    text = Text(TEXTS[path])
    row, column = text.position(where.start)
    end_row, end_column = text.position(where.stop)
    values = {"noqa_row": end_row, **more}
    return Finding(code, name, path, where, row, column, end_row, end_column, message, **values)  # type: ignore[arg-type]


MAIN, PARSE, WIDE = TEXTS

CHAIN = (
    place(MAIN, "pool.map(parse, paths)", "`Pool.map` runs `parse` in worker processes"),
    place(PARSE, 'raise RowError(number, "no tab")', "`parse` raises `RowError`"),
)

WAITS = finding(
    MAIN,
    "pool.map(parse, paths)",
    "`Pool.map` without a timeout: a worker that dies takes its task along, and this call waits for ever",
    name="pool-call-without-timeout",
    scope="main",
    because=CHAIN[:1],
    fix=Fix(
        "Wait at most 3600 s with `map_async`",
        (
            Edit(Span(span(MAIN, "map(parse").start, span(MAIN, "map(parse").start + 3), "map_async"),
            Edit(Span(span(MAIN, "paths)", 2).stop, span(MAIN, "paths)", 2).stop), ".get(timeout=3600)"),
        ),
        Safety.UNSAFE,
        MAIN,
    ),
)

BREAKS = finding(
    PARSE,
    "class RowError(Exception):",
    "`RowError` cannot be unpickled in the parent: `__init__` takes 2 arguments, `args` holds 1",
    code="MP201",
    name="exception-fails-to-unpickle",
    scope="RowError",
    because=CHAIN,
    severity="error",
    fix=Fix(
        "Add `__reduce__`",
        (
            Edit(
                Span(span(PARSE, '{reason}")\n').stop, span(PARSE, '{reason}")\n').stop),
                "\n    def __reduce__(self):\n        return type(self), self.args\n",
            ),
        ),
        Safety.SAFE,
        PARSE,
    ),
)

FINDINGS = (WAITS, BREAKS)


def scene(**more: object) -> Scene:
    """The scene of the project."""
    return Scene(TEXTS.__getitem__, root=ROOT, **more)  # type: ignore[arg-type]


def small_map() -> WorkerMap:
    """The map of the project."""
    hazards = tuple(Hazard(f.code, f.name, f.message, f.path, f.row, f.column, f.severity, n) for n, f in enumerate(FINDINGS))
    return WorkerMap(
        (Handover("Pool.map", "main", MAIN, 9, 18, "process", "fork", (Run("task", 0), Run("initializer", 2)), (0,), True),),
        (
            Worker("parse", "app.parse", PARSE, 6, 5, (Call(10, 1), Call(9, 3))),
            Worker("RowError.__init__", "app.parse", PARSE, 2, 9, (Call(3, 0), Call(3, 1)), (1,)),
            Worker("setup", "app.main", MAIN, 3, 5),
            Worker("quiet", "app.parse", PARSE, 8, 5),
        ),
        hazards,
    )
