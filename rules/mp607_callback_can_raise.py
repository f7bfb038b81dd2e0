"""MP607: an exception in a pool's callback ends the thread that hands out the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import CallSite, Function, Instance, Module, Project


class CallbackCanRaise(Rule):
    """A callback of a pool that can raise or that waits for the same pool.

    ## What it does

    Reports exceptions that leave a `callback=` or `error_callback=` of `apply_async`, `map_async` and `starmap_async`, and results of the same pool
    or executor that are waited for in a callback.

    ## Why it hurts

    Callbacks run in the one thread of the pool that hands out results. An exception ends that thread: this `get()` and every later one of
    the pool hang; with a limit, the end of the `with` block raises `AssertionError`. A wait in a callback waits for that very thread. Measured on
    CPython 3.8 to 3.13.

    ## When it knows

    The callback must resolve, and no handler in it may catch the exception, which it or a function of its file that it calls raises. Silent for
    done callbacks of futures that raise, which are logged, for results that are already there, and for pools of threads.

    ## References

    - [multiprocessing.pool.Pool.apply_async](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool.apply_async): callbacks
      should complete immediately.
    """

    code = "MP607"
    name = "callback-can-raise"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for site, danger in project.kept("dangers of callbacks", lambda: _dangers(project)).items():
            if site.path == module.path:
                yield Alarm(self.code, site, danger.message, danger.because, danger.function.qualname)

    example = Example(
        bad="""\
from multiprocessing import Pool


def quote(name):
    return len(name)


def check(price):
    if price < 5:
        raise ValueError(f"suspicious price: {price}")  # MP607


if __name__ == "__main__":
    with Pool(1) as pool:
        print("tea:", pool.apply_async(quote, ("tea",), callback=check).get())
""",
        bad_ends=Hangs(),
        fixed="""\
from multiprocessing import Pool


def quote(name):
    return len(name)


def check(price):
    if price < 5:
        print(f"suspicious price: {price}")


if __name__ == "__main__":
    with Pool(1) as pool:
        print("tea:", pool.apply_async(quote, ("tea",), callback=check).get())
""",
        fixed_ends=Prints("tea: 3"),
    )


class _Danger(NamedTuple):
    function: Function
    message: str
    because: tuple[Step, ...]


def _dangers(project: Project) -> dict[Site, _Danger]:
    """The places in callbacks that raise or wait, each once."""
    out: dict[Site, _Danger] = {}
    for submission in project.submissions():
        owner = submission.receiver
        if submission.role != "callback" or owner is None or owner.where != "process":
            continue
        pool = project.role(owner) == "pool" and bool(submission.api.callbacks)
        future = project.role(owner) == "future"
        if not (pool or future):
            continue
        for callee in submission.callees:
            step = Step(submission.site.site, f"`{submission.title}` takes `{callee.qualname}` as a callback")
            if pool:
                for escape in sorted(project.escapes(callee, 1), key=lambda e: len(e.because)):
                    if escape.is_near(callee) and escape.how != "end":
                        site = escape.because[0].site if escape.because else escape.site
                        raising = (Step(escape.site, f"`{escape.title or 'an exception'}` is raised here"),) if escape.because else ()
                        what = f"`{escape.title}`" if escape.title else "an exception"
                        message = f"{what} leaves the callback `{callee.name}` and ends the thread that hands out the results: every later `get()` hangs"
                        out.setdefault(site, _Danger(callee, message, (step, *escape.because, *raising)))
            for wait in _waits(project, callee, owner):
                message = f"the callback `{callee.name}` waits for a result that the thread it runs in is to hand out: it waits for ever"
                out.setdefault(wait.site, _Danger(callee, message, (step, *project.made_step(owner))))
    return out


def _waits(project: Project, callback: Function, owner: Instance) -> Iterator[CallSite]:
    """The calls of a callback that wait without a limit for other work of the same pool or executor."""
    params = {p.name for p in callback.facts.params}
    for site in callback.calls:
        for row, receiver in project.rows(site):
            if receiver is None or not {"collect", "wait"} & set(row.does):
                continue
            given = project.argument(site.call, row.timeout)
            if f.is_given(given):
                continue
            target = f.dotted(site.call.func.value) if isinstance(site.call.func, f.Attr) else ""
            if target in params:
                continue  # its own future, which is done
            source, mine = receiver.source or receiver, owner.source or owner
            if source.made is not None and source.made == mine.made:
                yield site
