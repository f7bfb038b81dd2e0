"""MP509: a program that is waited for while nobody reads what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Function, Module, Project

_STREAMS = ("stdout", "stderr")
_HARMLESS = frozenset({"wait", "poll", "returncode", "pid", "args", "stdin"})
"""What is asked of a process without reading what it writes, and without ending it."""

_BRIEF = frozenset({
    "which", "where", "type", "command", "hash", "test", "true", "false", "echo", "pwd", "whoami", "hostname", "uname", "kill", "killall", "pkill", "mkdir",
    "rm", "cp", "mv", "touch", "chmod", "chown", "ln", "sleep", "open", "xdg-open", "stty",
})  # fmt: skip
"""Commands that write a line at most, or nothing while all is well."""


class PopenWaitWithPipe(Rule):
    """A program whose output goes to a pipe that nobody reads while it is waited for.

    ## What it does

    Reports `wait()`, and loops around `poll()`, on a `subprocess.Popen(..., stdout=PIPE)` (or `stderr=PIPE`) whose pipes nobody reads before.

    ## Why it hurts

    A pipe holds 64 KiB on Linux. Once it is full the program stops in its next write, and who waits for its end waits for ever; with a limit, the limit is
    always reached. Measured on CPython 3.10 to 3.13: 60,000 bytes pass, with 70,000 both `wait()` and a loop around `poll()` hang. Tests with
    little output do not show it.

    ## When it knows

    The process must be a name of the function, made there with `PIPE`, and go nowhere else. Silent when a pipe is read or handed on, or
    `communicate()` called, on a way to the wait; for a process that was told to end (`terminate`, `kill`, `send_signal`); for a few commands that
    write next to nothing (`which`, `mkdir`, `... --version`); and for an exit status that answers a question, `if process.wait() == 0:`, with nothing
    raised. What a program writes is not known: one that never writes that much does not hang.

    ## Fix safety

    Makes `communicate()` of a `wait()` whose value is not used, where nothing is read afterwards. It is unsafe: `communicate()` keeps the output in
    memory, closes the pipes and ends the input.

    ## References

    - [Popen.wait](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.wait): "this will deadlock when using `stdout=PIPE` or `stderr=PIPE`"
      and the child generates enough output.
    """

    code = "MP509"
    name = "popen-wait-with-pipe"
    preview = True

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        if not project.pipes(module.path):
            return
        for page in range(len(module.outline.pages)):
            text = module.page_code(page)
            if "Popen" in text and "PIPE" in text and (".wait(" in text or ".poll(" in text):
                for function in project.functions_on(module, page):
                    yield from _waits(self.code, project, function)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint or not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
            return
        repair.replace(node.func.attr, cst.Name("communicate"))
        repair.title = "Read the output with `communicate()`"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import subprocess
import sys

REPORT = "print('all is well. ' * 9_000)"


def main():
    child = subprocess.Popen([sys.executable, "-c", REPORT], stdout=subprocess.PIPE)
    child.wait()  # MP509
    print("status:", child.returncode)


if __name__ == "__main__":
    main()
""",
        bad_ends=Hangs(),
        fixed="""\
import subprocess
import sys

REPORT = "print('all is well. ' * 9_000)"


def main():
    child = subprocess.Popen([sys.executable, "-c", REPORT], stdout=subprocess.PIPE)
    child.communicate()
    print("status:", child.returncode)


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("status: 0"),
    )


def _waits(code: str, project: Project, function: Function) -> Iterator[Alarm]:
    """The waits of a function for programs that write to pipes."""
    for bound, made, name in _made(project, function):
        if _goes_elsewhere(function, name):
            continue
        rows = [
            row
            for row in function.rows
            if isinstance(row, f.Attr) and isinstance(row.value, f.Name) and row.value.id == name and _is_of(function, row.value, bound)
        ]
        stops = [row for row in rows if row.attr not in _HARMLESS]
        for row in rows:
            call = function.parent(row)
            if not isinstance(call, f.Call) or call.func is not row or row.attr not in {"wait", "poll"}:
                continue
            graph = function.graph
            if row.attr == "poll" and not _is_asked_again(function, call, made):
                continue
            if any(graph.reaches(made, stop, avoiding=[call]) and graph.reaches(stop, call, avoiding=[made]) for stop in stops):
                continue
            if row.attr == "poll" and any(graph.reaches(call, stop, avoiding=[made]) and graph.reaches(stop, call, avoiding=[made]) for stop in stops):
                continue
            streams = " and ".join(f"`{stream}`" for stream in _STREAMS if _is_pipe(project, function, made.keyword(stream)))
            outcome = "`poll` never tells of its end" if row.attr == "poll" else "the limit of `wait` is reached" if call.args else "`wait` never returns"
            message = f"nobody reads {streams} of this process: when the pipe is full it stops, and {outcome}"
            because = (Step(function.site(made), "its output goes to a pipe"),)
            last = not any(graph.reaches(call, stop, avoiding=[made]) for stop in stops)
            if last and _is_question(function, call):
                break
            fixable = row.attr == "wait" and last and isinstance(function.parent(call), f.Do) and all(a.keyword == "timeout" for a in call.args)
            yield Alarm(code, function.site(call), message, because, function.qualname, "communicate" if fixable else "")
            break


def _made(project: Project, function: Function) -> Iterator[tuple[f.Row, f.Call, str]]:
    """The calls of `Popen` with a pipe for the output, with the row that binds the process to a name, and the name."""
    for row in function.rows:
        targets: tuple[tuple[f.Expr, f.Expr | None], ...] = ()
        if isinstance(row, f.Assign) and len(row.targets) == 1 and row.value is not None:
            targets = ((row.value, row.targets[0]),)
        elif isinstance(row, f.With) and not row.is_async:
            targets = tuple((item.value, item.target) for item in row.items)
        for call, target in targets:
            if (
                isinstance(call, f.Call)
                and isinstance(target, f.Name)
                and f.last_name(call.func) == "Popen"
                and project.external(call.func, function) == "subprocess.Popen"
            ):
                if any(_is_pipe(project, function, call.keyword(stream)) for stream in _STREAMS) and not _is_brief(function, call):
                    yield row, call, target.id


def _is_pipe(project: Project, function: Function, given: f.Expr | None) -> bool:
    return given is not None and project.external(given, function) == "subprocess.PIPE"


def _is_question(function: Function, call: f.Call) -> bool:
    """Whether the exit status only answers a question (`if process.wait() == 0:`) and no answer is a failure: tools that are asked so write little."""
    around = function.ancestors(call)
    if not around or not isinstance(around[-1], f.Op) or around[-1].op not in {"==", "!="}:
        return False
    branch = next((row for row in reversed(around) if isinstance(row, f.If)), None)
    return branch is None or not any(isinstance(row, f.Raise) for row in f.walk(*branch.body, *branch.orelse))


def _is_brief(function: Function, call: f.Call) -> bool:
    """Whether the command writes next to nothing."""
    command = call.positional(0) or call.keyword("args")
    given = function.graph.definitions(command) if isinstance(command, f.Name) else None
    if given is not None and len(given) == 1 and isinstance(given[0], f.Assign):
        command = given[0].value
    words = _words(command)
    if words[:1] and words[0].rpartition("/")[2] in {"sh", "bash"} and "-c" in words[:2]:
        words = words[2:]
    known = bool(words) and words[0].rpartition("/")[2] in _BRIEF
    return known or words[:2] in (["git", "config"], ["git", "rev-parse"]) or not {"--version", "-version", "-V"}.isdisjoint(words)


def _words(command: f.Expr | None) -> list[str]:
    """The words of a command as far as they are written out; "" stands for what is computed."""
    if isinstance(command, f.Call) and f.last_name(command.func) == "split" and command.args:
        return _words(command.args[0].value)
    if isinstance(command, f.Sequence):
        return [word for item in command.items for word in _words(item)]
    if isinstance(command, f.Text):
        return [word for part in command.parts for word in (_words(part) if isinstance(part, f.Const) else [""])]
    return command.value.split() if isinstance(command, f.Const) and isinstance(command.value, str) else [""]


def _goes_elsewhere(function: Function, name: str) -> bool:
    """Whether the process is known to others: passed, returned, stored, used by a function inside, or a name of the module."""
    for row in function.rows:
        if isinstance(row, f.Declare) and name in row.names:
            return True
        if isinstance(row, (f.FunctionFacts, f.Lambda, f.ClassFacts)) and any(
            isinstance(r, f.Name) and r.id == name for r in f.walk(*f.children(row), into_functions=True)
        ):
            return True
        if isinstance(row, f.Name) and row.id == name:
            around = function.parent(row)
            bound = isinstance(around, (f.Assign, f.With)) and any(target is row for target in f.stored_to(around))
            if (
                not bound
                and not isinstance(around, f.Attr)
                and not isinstance(around, (f.If, f.While))
                and not (isinstance(around, f.Op) and around.op in {"is", "is not", "not"})
            ):
                return True
    return False


def _is_of(function: Function, name: f.Name, bound: f.Row) -> bool:
    """Whether the process at `name` is the one that `bound` binds, and no other."""
    found = function.graph.definitions(name)
    return found is not None and len(found) == 1 and found[0] is bound


def _is_asked_again(function: Function, call: f.Call, made: f.Call) -> bool:
    """Whether `poll` stands in a `while` loop that the process was made before."""
    inside = [loop for loop in function.graph.loops_around(call) if isinstance(loop, f.While)]
    tests = [row for row in function.rows if isinstance(row, f.While) and any(r is call for r in f.walk(row.test))]
    return any(not any(r is made for r in f.walk(loop)) for loop in (*inside, *tests))
