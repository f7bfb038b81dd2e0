"""Proof: run a rule's two programs on a CPython and see that each ends as the rule claims.

A program runs in a temporary directory of its own, as a session of its own, with its output in a file (a pipe would be held
open by orphans) and a limit on its address space.  When it has ended, or its time is up, everything in its process group is
killed.  The repaired program runs first: how long it took decides how long the other one must stay alive to count as hung,
so that a loaded machine proves nothing that is not there.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import msgspec

from mplint.rule import Ending, Example, Exits, Hangs, Prints, Raises

LIMIT = 60.0
"""Seconds within which a program that is to end has to end."""
MEMORY = 1 << 30
"""Bytes of address space that each process of a program gets (where the platform can set it from outside: Linux)."""
EXCERPT = 32 * 1024
"""Bytes of output that are kept from the beginning and from the end."""

_FORK = """\
import multiprocessing.context as __file__
__file__._default_context._default_context = __file__._concrete_contexts["fork"]
__file__ = "program.py"
exec(compile(open(__file__).read(), __file__, "exec"))
"""
"""Runs `program.py` as `__main__` where fork is not the default (3.14, macOS), without fixing the start method for good.

The one name it leaves is `__file__`, by which spawned children find the program.
"""


class Run(msgspec.Struct, frozen=True):
    """How a program ended: `status` as `subprocess` has it, None when it was still alive after `seconds`."""

    status: int | None
    seconds: float
    output: str

    def __str__(self) -> str:
        if self.status is None:
            return f"still running after {self.seconds:.0f} s"
        if self.status < 0:
            return f"killed by {signal.Signals(-self.status).name} after {self.seconds:.1f} s"
        return f"exit status {self.status} after {self.seconds:.1f} s"


class Proof(msgspec.Struct, frozen=True):
    """One program of an example, run: `which` is "bad" or "fixed", `python` the version it ran on, `held` whether it ended as claimed."""

    which: str
    program: str
    claim: Ending
    python: str
    run: Run
    held: bool


def prove(example: Example, *, python: str = sys.executable, limit: float = LIMIT, memory: int = MEMORY) -> tuple[Proof, ...]:
    """Both programs of `example` run on the interpreter `python`: the bad one, the fixed one; nothing when it claims nothing there.

    `limit` (seconds) bounds each program that is to end, `memory` (bytes) the address space of each process.  Raises OSError or
    `subprocess.SubprocessError` when `python` cannot be run, RuntimeError on a platform without process groups.
    """
    version = version_of(python)
    if not example.needs <= version[:2] < example.until:
        return ()
    shown = ".".join(map(str, version))
    fixed = run(example.fixed, python=python, limit=limit, memory=memory)
    wait = limit
    if isinstance(example.bad_ends, Hangs):
        wait = max(example.bad_ends.after, min(limit, 3 * fixed.seconds))
    bad = run(example.bad, python=python, limit=wait, memory=memory)
    return (
        Proof("bad", example.bad, example.bad_ends, shown, bad, holds(example.bad_ends, bad)),
        Proof("fixed", example.fixed, example.fixed_ends, shown, fixed, holds(example.fixed_ends, fixed)),
    )


def holds(claim: Ending, ended: Run) -> bool:
    """Whether a program that ended like this has ended as claimed."""
    match claim:
        case Hangs():
            return ended.status is None
        case Exits(status):
            return ended.status == status
        case Raises(text):
            return ended.status == 1 and any(text in line for line in _raised(ended.output))
        case Prints(text):
            return ended.status == 0 and text in ended.output


def report(code: str, name: str, proofs: tuple[Proof, ...]) -> str:
    """What `--prove` prints: each program, where it ran, how it was to end and how it did, and what it said."""
    if not proofs:
        return f"{code} {name}: its example claims nothing on this Python\n"
    blocks = [f"{code} {name} on CPython {proofs[0].python}"]
    for proof in proofs:
        verdict = "as claimed" if proof.held else "NOT as claimed"
        blocks.append(
            f"--- the {proof.which} program ---\n{proof.program.strip()}\n"
            f"--- {proof.which} program: claim: {proof.claim}; seen: {proof.run}; {verdict} ---" + _indented(proof.run.output)
        )
    held = sum(proof.held for proof in proofs)
    blocks.append(f"{held} of {len(proofs)} programs ended as claimed")
    return "\n\n".join(blocks) + "\n"


@cache
def version_of(python: str) -> tuple[int, int, int]:
    """Version of the interpreter at a path.  Raises OSError or `subprocess.SubprocessError` when it cannot be run."""
    if os.path.realpath(python) == os.path.realpath(sys.executable):
        return sys.version_info[:3]
    asked = subprocess.run([python, "-I", "-S", "-c", "import sys; print(*sys.version_info[:3])"], capture_output=True, check=True, timeout=LIMIT, text=True)
    major, minor, micro = map(int, asked.stdout.split())
    return major, minor, micro


def run(program: str, *, python: str = sys.executable, limit: float = LIMIT, memory: int = MEMORY) -> Run:
    """Run a program as `__main__` under fork, for at most `limit` seconds; nothing that it started is left behind.

    Raises OSError when `python` cannot be run, RuntimeError on a platform without process groups.
    """
    if not hasattr(os, "killpg"):
        raise RuntimeError("a proof needs process groups: run it on Linux or macOS")
    with tempfile.TemporaryDirectory(prefix="mplint-", ignore_cleanup_errors=True) as folder:
        Path(folder, "program.py").write_text(program, encoding="utf-8")
        forks = sys.platform == "linux" and version_of(python) < (3, 14)
        output = Path(folder, "output")
        with output.open("ab") as sink:
            start = time.monotonic()
            process = subprocess.Popen(
                [python, "program.py"] if forks else [python, "-c", _FORK],
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _limit_memory(process.pid, memory)
            status = process.wait(max(0.0, start + limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            status = None
        finally:
            seconds = time.monotonic() - start
            _kill_group(process)
        return Run(status, seconds, _excerpt(output, folder))


def _environment(folder: str) -> dict[str, str]:
    """The environment without the settings of this Python, and with temporary files in `folder`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV_", "COVERAGE_"))}
    return kept | {"TMPDIR": folder, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}


def _limit_memory(pid: int, memory: int) -> None:
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(OSError):  # the program may have ended already
            resource.prlimit(pid, resource.RLIMIT_AS, (memory, memory))


def _kill_group(leader: subprocess.Popen[bytes]) -> None:
    """Kill a process group until nobody is left in it: the orphans of its leader disappear a little after their death."""
    for _ in range(100):
        try:
            os.killpg(leader.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
            break
        leader.wait()
        time.sleep(0.01)
    leader.wait()


def _excerpt(output: Path, folder: str) -> str:
    """What a program said, without its middle when that is long, and without the name of its directory."""
    with output.open("rb") as file:
        data = file.read(EXCERPT)
        size = file.seek(0, os.SEEK_END)
        if size > 2 * EXCERPT:
            file.seek(-EXCERPT, os.SEEK_END)
            data += f"\n... {size - 2 * EXCERPT} bytes ...\n".encode() + file.read()
        else:
            file.seek(len(data))
            data += file.read()
    text = data.decode("utf-8", "replace")
    return text.replace(os.path.realpath(folder) + os.sep, "").replace(folder + os.sep, "")


def _raised(output: str) -> list[str]:
    """The lines of the last traceback that name an exception: those that are not indented (behind the bars of a group)."""
    heads = list(re.finditer(r"^(  \+ Exception Group )?Traceback \(most recent call last\):$", output, re.MULTILINE))
    if not heads:
        return []
    lines = output[heads[-1].end() :].splitlines()
    bare = [re.sub(r"^(\s+\| ?)", "", line) for line in lines]
    return [line for line in bare if line and not line[0].isspace()]


def _indented(output: str, *, lines: int = 12) -> str:
    """The last lines of an output, below a heading."""
    said = output.rstrip().splitlines()
    cut = [f"... {len(said) - lines} lines ...", *said[-lines:]] if len(said) > lines + 1 else said
    return "".join(f"\n    {line}" for line in cut)
