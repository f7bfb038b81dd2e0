"""MP906: a process that is forked has a copy of the random state, and draws what its siblings draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.apis import Parameter
from mplint.apis.randomness import DRAWING, GENERATORS, NUMPY
from mplint.finding import Alarm, Step
from mplint.project.calling import called_by
from mplint.project.importing import is_test
from mplint.project.messages.sharing import is_repeated
from mplint.project.modules import CallSite, Class, Function
from mplint.project.processes.children import has_unknown_context, is_standard
from mplint.project.processes.forking import forks
from mplint.project.processes.platforms import is_spawned
from mplint.project.values import Bound, External, Instance
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project
    from mplint.project.workers import Submission

_MANY = 400
"""Functions that are looked through for one that seeds."""

_SIZES = (Parameter(0, "processes"), Parameter(0, "max_workers"), Parameter(0, "n_jobs"))


class SameRandomNumbers(Rule):
    """Worker processes that draw from a random state which was copied to all of them.

    ## What it does

    Reports draws from numpy's global state (`numpy.random.rand()`) or from a generator of the module level, in forked workers that seed neither.
    So it does for draws of a task from the generator of its own object (`pool.map(self.simulate, runs)`, with `self.rng.normal()` in it).

    ## Why it hurts

    A fork copies the state of every generator, so all workers draw the same numbers: ten samples are one sample ten times, and nothing fails. Measured
    on CPython 3.10 to 3.13 with numpy 2.2 to 2.5: numpy's global state, and `random.Random()`, `default_rng()` and `RandomState()` of the module
    level, give equal numbers in all forked workers, those of joblib's backend "multiprocessing" too. A generator of the module level that is made with a
    constant seed does so under spawn and forkserver as well, because every worker makes it again. An object is pickled anew for every task:
    of four tasks that draw from its generator all four get the same number, whatever the start method.

    The functions of the module `random` are seeded anew after a fork, and draw different numbers; so does numpy's global state in processes
    that spawn, forkserver or loky start.

    ## When it knows

    The workers are several, and start by fork: by name, or by default, which is so on Linux before Python 3.14. Silent when anything that the task or an
    initializer of the pool calls has "seed" in its name, for processes that are made once, for objects with a pickle method, and in tests.

    ## References

    - [numpy, Parallel random number generation](https://numpy.org/doc/stable/reference/random/parallel.html).
    - [os.register_at_fork](https://docs.python.org/3/library/os.html#os.register_at_fork), by which the module `random` seeds itself anew.
    - [numpy gh-9650](https://github.com/numpy/numpy/issues/9650).
    """

    code = "MP906"
    name = "same-random-numbers"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        if is_test(project, module.path):
            return
        yield from _global_draws(project, module)
        for function, alarm in project.kept("draws from copied generators", lambda: (*_generator_draws(project), *_own_draws(project))):
            if function.module is module:
                yield alarm

    example = Example(
        bad="""\
import random
from multiprocessing import Process, SimpleQueue

dice = random.Random()


def throw(answers):
    answers.put([dice.randint(1, 6) for _ in range(50)])  # MP906


def main():
    answers = SimpleQueue()
    players = [Process(target=throw, args=(answers,)) for _ in range(2)]
    for player in players:
        player.start()
    first, second = [answers.get() for _ in players]
    for player in players:
        player.join()
    print("the same throws" if first == second else "different throws")


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("the same throws"),
        fixed="""\
import random
from multiprocessing import Process, SimpleQueue


def throw(answers):
    dice = random.Random()
    answers.put([dice.randint(1, 6) for _ in range(50)])


def main():
    answers = SimpleQueue()
    players = [Process(target=throw, args=(answers,)) for _ in range(2)]
    for player in players:
        player.start()
    first, second = [answers.get() for _ in players]
    for player in players:
        player.join()
    print("the same throws" if first == second else "different throws")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("different throws"),
    )


def _global_draws(project: Project, module: Module) -> Iterator[Alarm]:
    """The first draw from numpy's global state in each function of a module that forked workers run."""
    functions = project.workers_in(module)
    if not functions or not project.spells(module, b"numpy"):
        return
    for function in functions:
        if not function.spells(*_SPELLED):
            continue
        for site in function.calls:
            name = f.last_name(site.call.func)
            if name in NUMPY and project.external(site.call.func, function) == f"numpy.random.{name}":
                if _is_copied(project, function, constant=False):
                    drawn = f.dotted(site.call.func)
                    message = f"`{drawn}` draws from numpy's global state, of which every forked worker has the same copy: all draw the same numbers"
                    yield Alarm(SameRandomNumbers.code, site.site, message, project.why(function) or (), function.qualname)
                break


_SPELLED = ("random", "rand", "shuffle", "choice", "permutation", "normal", "uniform", "sample")


def _generator_draws(project: Project) -> Iterator[tuple[Function, Alarm]]:
    """The first draw of each function that forked workers run from each generator of the module level."""
    modules = {function.path: function.module for function in project.workers()}
    for word in ("Random(", "default_rng(", "RandomState(", "Generator("):
        for path in project.sources.holding(word.encode(), sorted(modules)):
            for row in _module_level(modules[path], word):
                body = modules[path].body
                if project.external(row.func, body) in GENERATORS:
                    yield from _drawn(project, CallSite(body, row))


def _module_level(module: Module, word: str) -> Iterator[f.Call]:
    """What assignments of the module level give to a name by a call of something that ends in `word`."""
    for number, page in enumerate(module.outline.pages):
        if page.kind in {"module", "step"} and not page.indent and word in module.page_code(number):
            for row in module.steps(number):
                if isinstance(row, f.Assign) and isinstance(row.value, f.Call) and f.last_name(row.value.func) == word[:-1]:
                    yield row.value


def _drawn(project: Project, made: CallSite) -> Iterator[tuple[Function, Alarm]]:
    constant = any(isinstance(a.value, f.Const) and a.value.value is not None for a in made.call.args)
    seen: set[Function] = set()
    touches = project.life(made, patient=True).touches
    if any(t.name.endswith(("seed", "setstate", "set_state", "bit_generator", "state")) and t.function in project.workers() for t in touches):
        return
    names = {t.id for t in f.stored_to(made.function.parent(made.call) or made.call) if isinstance(t, f.Name)}
    if not names or any(_makes_anew(function, names) for function in made.function.module.functions("global")):
        return
    for touch in touches:
        if touch.name in DRAWING and touch.call is not None and touch.function not in seen and touch.function in project.workers():
            if not is_test(project, touch.function.path) and _is_copied(project, touch.function, constant=constant):
                seen.add(touch.function)
                said = "it is made anew with the same seed in every worker" if constant else "every forked worker has a copy of it in the same state"
                because = (Step(made.site, "the generator is made here"), *(project.why(touch.function) or ()))
                message = f"workers draw the same numbers from `{min(names)}`: {said}"
                yield touch.function, Alarm(SameRandomNumbers.code, touch.function.site(touch.call), message, because, touch.function.qualname)


def _own_draws(project: Project) -> Iterator[tuple[Function, Alarm]]:
    """The first draw of each method that is a task from the generator of its own object, which goes along with every task."""
    for function, reach in project.workers().items():
        if reach.certain and function.receiver and reach.submission.role in {"task", "target"} and not is_test(project, function.path):
            for site in function.calls:
                kept = site.call.func.value if isinstance(site.call.func, f.Attr) and site.call.func.attr in DRAWING else None
                if isinstance(kept, f.Attr) and f.dotted(kept.value) == function.receiver:
                    made = _kept_generator(project, function, kept.attr)
                    if made is not None and _goes_along(project, function, reach.submission):
                        because = (Step(made.site, "the generator is made here"), *(project.why(function) or ()))
                        message = f"each task gets a copy of its object, with `{f.dotted(kept)}` in the same state: all draw the same numbers"
                        yield function, Alarm(SameRandomNumbers.code, site.site, message, because, function.qualname)
                        break


def _kept_generator(project: Project, function: Function, attr: str) -> CallSite | None:
    """The call that makes the generator in an attribute of the object of a method; None where workers make one, or what travels is chosen."""
    assert function.owner is not None
    made: CallSite | None = None
    for cls in (base for base in project.mro(function.owner) if isinstance(base, Class)):
        if {"__getstate__", "__setstate__", "__reduce__", "__reduce_ex__"} & set(cls.method_names()):
            return None
        for method in cls.methods_mentioning(attr):
            for row in method.rows:
                if isinstance(row, f.Assign) and any(isinstance(t, f.Attr) and t.attr == attr for t in row.targets):
                    if method in project.workers():
                        return None
                    if isinstance(row.value, f.Call) and project.external(row.value.func, method) in GENERATORS:
                        made = CallSite(method, row.value)
    return made


def _goes_along(project: Project, function: Function, submission: Submission) -> bool:
    """Whether several tasks are methods of the same object, that of `function`, and nothing seeds in them."""
    if function not in submission.callees or not submission.resolved or not all(isinstance(v, Bound) for v in submission.callables):
        return False
    mine = isinstance(submission.argument, f.Attr) and f.dotted(submission.argument.value) == submission.site.function.receiver != ""
    several = submission.api.payload in {"each", "zip", "star"} or (mine and is_repeated(project, submission.site, hops=0))
    return several and not _seeds(project, list(submission.callees))


def _makes_anew(function: Function, names: set[str]) -> bool:
    """Whether a function gives a global of one of these names another value."""
    return any(isinstance(row, f.Declare) and row.kind == "global" and not names.isdisjoint(row.names) for row in function.rows)


def _is_copied(project: Project, function: Function, *, constant: bool) -> bool:
    """Whether several workers run a function with the same copy of a random state: forked ones, any where a constant makes it."""
    reach = project.workers().get(function)
    return (
        reach is not None
        and reach.certain
        and project.kept(("copied random state", reach.submission, constant), lambda: _copies(project, reach.submission, constant))
    )


def _copies(project: Project, submission: Submission, constant: bool) -> bool:
    if not submission.resolved or not _is_forked(project, submission, constant) or not _are_several(project, submission):
        return False
    begun = [s for s in project.submissions() if s.role == "initializer" and s.receiver is not None and s.receiver == submission.receiver]
    if not all(s.resolved and s.callees for s in begun):
        return False
    return not _seeds(project, [*submission.callees, *(callee for s in begun for callee in s.callees)])


def _is_forked(project: Project, submission: Submission, constant: bool) -> bool:
    through = Instance(External(submission.api.through), "process") if submission.api.through else None
    made = through or submission.receiver
    creation = project.maker(made) if submission.role == "task" and made is not None and through is None else submission.site
    if made is None or creation is None:
        return False
    if project.role(made) == "parallel":
        given = creation.call.keyword("backend")
        return isinstance(given, f.Const) and given.value == "multiprocessing"
    if any(has_unknown_context(project, use, made) for use in project.uses_at(creation, "make")) or not is_standard(made) or _is_one(project, creation):
        return False
    if constant and made.where == "process":
        return True
    return forks(project, creation, made) and not is_spawned(creation.function, creation.call)


def _is_one(project: Project, creation: CallSite) -> bool:
    """Whether a pool is made with a single worker."""
    given = [size for size in (project.argument(creation.call, parameter) for parameter in _SIZES) if size is not None]
    return bool(given) and isinstance(given[0], f.Const) and given[0].value == 1


def _are_several(project: Project, submission: Submission) -> bool:
    """Whether a place hands over more than one task, or is reached more than once."""
    if submission.role == "initializer":
        return True
    if submission.role == "task" and submission.api.payload in {"each", "zip", "star", "unpack", "delayed"}:
        return True
    alike = [s for s in project.submissions() if s.role == submission.role and s.where == "process" and s.callees == submission.callees]
    if len({s.site for s in alike if s.site.function is submission.site.function}) > 1:
        return True
    return any(is_repeated(project, s.site, hops=1) for s in alike)


def _seeds(project: Project, roots: list[Function]) -> bool:
    """Whether anything that these functions call is called after seeds; true where there is too much to look at."""
    queue, seen = list(roots), set(roots)
    while queue:
        function = queue.pop()
        if function.spells("seed", "set_state") and any(_is_seeding(project, site) for site in function.calls):
            return True
        for callee, _ in called_by(project, function):
            if callee not in seen:
                if len(seen) > _MANY:
                    return True
                seen.add(callee)
                queue.append(callee)
    return False


def _is_seeding(project: Project, site: CallSite) -> bool:
    name = f.last_name(site.call.func)
    return "seed" in name.lower() or (name == "set_state" and project.external(site.call.func, site.function) == "numpy.random.set_state")
