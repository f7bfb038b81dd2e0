"""The prover: how programs end, what it calls that, and that nothing of them is left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mplint.prove import holds, prove, report, run
from mplint.rule import Ending, Example, Exits, Hangs, Prints, Raises

HANGING_FAMILY = """\
import os
import time
from multiprocessing import Process


def grandchild():
    print("pid", os.getpid(), flush=True)
    time.sleep(600)


def child():
    process = Process(target=grandchild)
    process.start()
    print("pid", os.getpid(), flush=True)
    {child_end}


if __name__ == "__main__":
    process = Process(target=child)
    process.start()
    process.join()
    print("pid", os.getpid(), flush=True)
    {parent_end}
"""

CHAINED = """\
try:
    [][0]
except IndexError:
    {}["key"]
"""


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet waited for does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
    return bool(state) and not state.startswith("Z")


def pids(output: str) -> list[int]:
    return [int(found) for found in re.findall(r"^pid (\d+)$", output, re.MULTILINE)]


def test_orphans_of_a_program_that_ended_are_killed() -> None:
    program = HANGING_FAMILY.format(child_end="os._exit(0)", parent_end="os._exit(7)")
    program = program.replace('    print("pid", os.getpid(), flush=True)\n    os._exit(0)', "    time.sleep(1)\n    os._exit(0)")
    ended = run(program)
    assert ended.status == 7
    assert len(pids(ended.output)) == 2
    assert not any(map(alive, pids(ended.output)))


def test_a_hanging_program_is_stopped_with_all_its_children() -> None:
    ended = run(HANGING_FAMILY.format(child_end="process.join()", parent_end="pass"), limit=5)
    assert ended.status is None
    assert len(pids(ended.output)) == 2
    assert not any(map(alive, pids(ended.output)))


def test_temporary_files_go_with_the_program(tmp_path: Path) -> None:
    ended = run("import os, tempfile\nfd, name = tempfile.mkstemp()\nprint(os.path.realpath(name))\nprint(os.getcwd())\n")
    name, folder = ended.output.split("\n")[:2]
    assert not os.path.isabs(name), "the name of the program's directory is not shown"
    assert not Path(folder).exists()


def test_address_space_is_limited() -> None:
    program = "from multiprocessing import Pool\nif __name__ == '__main__':\n    print(len(Pool(1).apply(bytes, (1 << 29,))))\n"
    assert holds(Prints(str(1 << 29)), run(program, memory=1 << 32))
    if sys.platform == "linux":
        assert holds(Raises("MemoryError"), run(program, memory=1 << 29))


def test_long_output_loses_its_middle() -> None:
    ended = run("print('first')\nprint('x' * 1_000_000)\nprint('last')\n")
    assert ended.output.startswith("first\n") and ended.output.endswith("last\n")
    assert len(ended.output) < 100_000


@pytest.mark.parametrize(
    ("program", "held", "not_held"),
    [
        ("pass", Exits(0), Exits(1)),
        ("raise SystemExit(3)", Exits(3), Exits(0)),
        ("import os; os.kill(os.getpid(), 9)", Exits(-9), Exits(9)),
        ("print('lost 3')", Prints("lost 3"), Prints("lost 4")),
        ("print('lost 3'); raise SystemExit(1)", Exits(1), Prints("lost 3")),
        ("raise ValueError('no 1')", Raises("ValueError: no 1"), Raises("no 2")),
        ("def f():\n    raise KeyError\ntry:\n    f()\nexcept KeyError:\n    raise OSError", Raises("OSError"), Raises("KeyError")),
        (CHAINED, Raises("KeyError: 'key'"), Raises("IndexError")),
        ("print('ValueError: no 1'); raise SystemExit(1)", Exits(1), Raises("ValueError")),
        ("import time; time.sleep(60)", Hangs(), Exits(0)),
    ],
)
def test_endings(program: str, held: Ending, not_held: Ending) -> None:
    ended = run(program, limit=2 if held == Hangs() else 60)
    assert holds(held, ended)
    assert not holds(not_held, ended)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups")
def test_exception_groups_are_named_with_what_is_in_them() -> None:
    ended = run("def f():\n    raise KeyError('k')\ntry:\n    f()\nexcept KeyError as e:\n    raise ExceptionGroup('two', [e, OSError('o')])")
    assert all(holds(Raises(text), ended) for text in ("ExceptionGroup: two (2 sub-exceptions)", "KeyError: 'k'", "OSError: o"))
    assert not holds(Raises("raise"), ended)


def test_a_slow_program_is_no_hang() -> None:
    """The bad program is waited for longer when the fixed one was slow, too."""
    slow = "import time\ntime.sleep(2)\n"
    example = Example(bad=slow, bad_ends=Hangs(1), fixed=slow, fixed_ends=Exits(0))
    bad, fixed = prove(example)
    assert fixed.held
    assert not bad.held and bad.run.status == 0


def test_an_example_may_claim_nothing_on_this_python() -> None:
    for needs, until in (((99, 0), (100, 0)), ((3, 8), (3, 9))):
        example = Example(bad="", bad_ends=Exits(1), fixed="", fixed_ends=Exits(0), needs=needs, until=until)
        assert prove(example) == ()
    assert "nothing on this Python" in report("MP999", "some-hazard", ())


def test_the_report_tells_what_ran_and_how_it_ended() -> None:
    bad = "print('half done')\nraise ValueError('no 1')\n"
    example = Example(bad=bad, bad_ends=Raises("ValueError"), fixed="print('done')\n", fixed_ends=Prints("gone"))
    text = report("MP999", "some-hazard", prove(example))
    version = ".".join(map(str, sys.version_info[:3]))
    assert f"MP999 some-hazard on CPython {version}" in text
    assert bad in text and "    half done\n" in text
    assert "claim: ends with ValueError; seen: exit status 1" in text
    assert "NOT as claimed" in text and "1 of 2 programs ended as claimed" in text


def test_programs_fork_where_fork_is_not_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """3.14 starts another way by default; the program may still choose its own."""
    monkeypatch.setattr("mplint.prove.version_of", lambda python: (3, 14, 0))
    program = """\
import multiprocessing


def double(number):
    return 2 * number


if __name__ == "__main__":
    print(multiprocessing.get_start_method(), multiprocessing.Pool(1).apply(double, (21,)))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print("spawn", pool.apply(double, (4,)))
"""
    ended = run(program)
    assert ended.output == "fork 42\nspawn 8\n"
