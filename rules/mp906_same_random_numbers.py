"""MP906: a process that is forked has a copy of the random state, and draws what its siblings draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.apis import Parameter
from mplint.finding import Alarm, Step
from mplint.project.calling import called_by
from mplint.project.importing import is_test
from mplint.project.messages.sharing import is_repeated
from mplint.project.modules import CallSite, Function
from mplint.project.processes.children import has_unknown_context, is_standard
from mplint.project.processes.forking import forks
from mplint.project.processes.platforms import is_spawned
from mplint.project.values import External, Instance
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project
    from mplint.project.workers import Submission

_NUMPY = frozenset({
    "rand", "randn", "randint", "random", "random_sample", "random_integers", "ranf", "sample", "choice", "bytes", "shuffle", "permutation", "beta", "binomial",
    "chisquare", "dirichlet", "exponential", "gamma", "geometric", "gumbel", "laplace", "logistic", "lognormal", "multinomial", "multivariate_normal",
    "negative_binomial", "normal", "pareto", "poisson", "power", "rayleigh", "standard_cauchy", "standard_exponential", "standard_gamma", "standard_normal",
    "standard_t", "triangular", "uniform", "vonmises", "wald", "weibull", "zipf", "hypergeometric", "logseries", "noncentral_chisquare", "f",
})  # fmt: skip
"""The functions of `numpy.random` that draw from its global state."""

_DRAWING = _NUMPY | {
    "integers", "permuted", "getrandbits", "randrange", "randbytes", "choices", "betavariate", "expovariate", "gammavariate", "gauss", "lognormvariate",
    "normalvariate", "vonmisesvariate", "paretovariate", "weibullvariate",
}  # fmt: skip
"""The methods of generators that draw."""

_GENERATORS = ("random.Random", "numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.Generator")

_MANY = 400
"""Functions that are looked through for one that seeds."""

_SIZES = (Parameter(0, "processes"), Parameter(0, "max_workers"), Parameter(0, "n_jobs"))


class SameRandomNumbers(Rule):
    """Worker processes that draw from a random state which was copied to all of them.

    ## What it does

    Reports draws from numpy's global state (`numpy.random.rand()`) or from a generator of the module level, in forked workers that seed neither.

    ## Why it hurts

    A fork copies the state of every generator, so all workers draw the same numbers: ten samples are one sample ten times, and nothing fails. Measured
    on CPython 3.10 to 3.13 with numpy 2.2 to 2.5: numpy's global state, and `random.Random()`, `default_rng()` and `RandomState()` of the module
    level, give equal numbers in all forked workers, those of joblib's backend "multiprocessing" too. A generator of the module level that is made with a
    constant seed does so under spawn and forkserver as well, because every worker makes it again.

    The functions of the module `random` are seeded anew after a fork, and draw different numbers; so does numpy's global state in processes
    that spawn, forkserver or loky start.

    ## When it knows

    The workers are several, and start by fork: by name, or by default, which is so on Linux before Python 3.14. Silent when anything that the task or an
    initializer of the pool calls has "seed" in its name, for processes that are made once, and in tests.

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
        for function, alarm in project.kept("draws from shared generators", lambda: tuple(_generator_draws(project))):
            if function.module is module:
                yield alarm

    example = Example(
        bad="""\
import random
from multiprocessing import Pipe, Process

dice = random.Random()


def throw(answers):
    answers.send([dice.randint(1, 6) for _ in range(50)])  # MP906


def main():
    players = []
    for _ in range(2):
        answers, sent = Pipe(duplex=False)
        process = Process(target=throw, args=(sent,))
        process.start()
        sent.close()
        players.append((process, answers))
    first, second = [answers.recv() for _, answers in players]
    for process, _ in players:
        process.join()
    print("the same throws" if first == second else "different throws")


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("the same throws"),
        fixed="""\
import random
from multiprocessing import Pipe, Process


def throw(answers):
    dice = random.Random()
    answers.send([dice.randint(1, 6) for _ in range(50)])


def main():
    players = []
    for _ in range(2):
        answers, sent = Pipe(duplex=False)
        process = Process(target=throw, args=(sent,))
        process.start()
        sent.close()
        players.append((process, answers))
    first, second = [answers.recv() for _, answers in players]
    for process, _ in players:
        process.join()
    print("the same throws" if first == second else "different throws")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("different throws"),
    )


def _global_draws(project: Project, module: Module) -> Iterator[Alarm]:
    """The first draw from numpy's global state in each function of a module that forked workers run."""
    functions = project.workers_in(module)
    if not functions or "numpy" not in module.lines.text:
        return
    for function in functions:
        if not function.spells(*_SPELLED):
            continue
        for site in function.calls:
            name = f.last_name(site.call.func)
            if name in _NUMPY and project.external(site.call.func, function) == f"numpy.random.{name}":
                if _is_copied(project, function, constant=False):
                    message = f"`{f.dotted(site.call.func)}` draws from numpy's global state, of which every forked worker has the same copy: all draw the same numbers"
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
                if project.external(row.func, body) in _GENERATORS:
                    yield from _drawn(project, CallSite(body, row))


def _module_level(module: Module, word: str) -> Iterator[f.Call]:
    """What assignments of the module level give to a name by a call of something that ends in `word`."""
    for number, page in enumerate(module.outline.pages):
        if page.kind in {"module", "step"} and not page.indent and word in module.page_text(number):
            for row in module.steps(number):
                if isinstance(row, f.Assign) and isinstance(row.value, f.Call) and f.last_name(row.value.func) == word[:-1]:
                    yield row.value


def _drawn(project: Project, made: CallSite) -> Iterator[tuple[Function, Alarm]]:
    constant = any(isinstance(a.value, f.Const) and a.value.value is not None for a in made.call.args)
    seen: set[Function] = set()
    touches = project.life(made, patient=True).touches
    if any(t.name.endswith(("seed", "setstate", "set_state", "bit_generator", "state")) and t.function in project.workers() for t in touches):
        return
    around = made.function.parent(made.call)
    names = {t.id for t in around.targets if isinstance(t, f.Name)} if isinstance(around, f.Assign) else set()
    if not names or any(_makes_anew(function, names) for function in made.function.module.functions(lambda text: "global" in text)):
        return
    for touch in touches:
        if touch.name in _DRAWING and touch.call is not None and touch.function not in seen and touch.function in project.workers():
            if not is_test(project, touch.function.path) and _is_copied(project, touch.function, constant=constant):
                seen.add(touch.function)
                name = next(iter(names))
                said = "it is made anew with the same seed in every worker" if constant else "every forked worker has a copy of it in the same state"
                because = (Step(made.site, "the generator is made here"), *(project.why(touch.function) or ()))
                message = f"workers draw the same numbers from `{name}`: {said}"
                yield touch.function, Alarm(SameRandomNumbers.code, touch.function.site(touch.call), message, because, touch.function.qualname)


def _makes_anew(function: Function, names: set[str]) -> bool:
    """Whether a function gives a global of one of these names another value."""
    return any(isinstance(row, f.Declare) and row.kind == "global" and not names.isdisjoint(row.names) for row in function.rows)


def _is_copied(project: Project, function: Function, *, constant: bool) -> bool:
    """Whether several workers run a function with the same copy of a random state: forked ones, any where a constant makes it."""
    reach = project.workers().get(function)
    return reach is not None and reach.certain and project.kept(("copied random state", reach.submission, constant), lambda: _copies(project, reach.submission, constant))


def _copies(project: Project, submission: Submission, constant: bool) -> bool:
    if not submission.resolved or not _is_forked(project, submission, constant) or not _are_several(project, submission):
        return False
    roots = list(submission.callees)
    for other in project.submissions():
        if other.role == "initializer" and other.receiver is not None and other.receiver == submission.receiver:
            if not other.resolved or not other.callees:
                return False
            roots.extend(other.callees)
    return not _seeds(project, roots)


def _is_forked(project: Project, submission: Submission, constant: bool) -> bool:
    made = submission.receiver
    creation: CallSite | None = submission.site
    if submission.api.through:
        made = Instance(External(submission.api.through), "process")
    elif submission.role == "task":
        creation = project.maker(made) if made is not None else None
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
