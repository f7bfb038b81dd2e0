"""How much of real code the project model resolves: `python benchmarks/resolution.py FOLDER... [--timeout 60] [--json out.json] [--open]`.

Each folder is a project of its own and measured in a process of its own.  Receivers are those of calls of Pool's methods whatever
they are called on (`map` and `apply`, which much else has, where the receiver is known or named like a pool or an executor), of
`submit` and of `map` of executors; callables are what those calls, Process, initializers, joblib and run_in_executor are given.
"Before" is what one file alone says, "after" what the linked project says.  A value is resolved when all that it can be is known,
partly resolved when something stays open besides.  `--open` lists what is not, with the reason; `--processes N` prints N
receivers that are taken for process pools, spread over all projects, to be looked at.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Iterator

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from mplint import facts as f  # noqa: E402
from mplint.project import Bound, CallSite, External, Function, Instance, Literal, Module, Partial, Project, Unknown, Value  # noqa: E402
from mplint.source import Sources  # noqa: E402

POOL = {"map", "apply", "starmap", "imap", "imap_unordered", "apply_async", "map_async", "starmap_async"}
AMBIGUOUS = {"map", "apply", "submit"}
NAMED = re.compile(r"pool|exec|workers?$|^(?:p|ex|pp|tpe|ppe)$", re.IGNORECASE)
MENTIONED = re.compile(rb"multiprocess|concurrent|joblib|loky|billiard|pathos|pebble|mpire|\b(?:[Pp]ool|[Ee]xecutor)s?\b|apply_async|imap|starmap|map_async")
AUX = re.compile(r"(?:^|/)(?:tests?|testing|docs?|examples?|benchmarks?|scripts|tools|ci|_?vendor(?:ed)?|setup\.py|conftest\.py|test_\w+\.py)(?:/|$)")
Row = dict[str, Any]


def files_of(folder: Path) -> list[str]:
    """The code of a package: no tests, documentation, examples or vendored copies."""
    found = (p for p in sorted(folder.rglob("*.py")) if p.is_file())
    return [str(p) for p in found if not AUX.search(p.relative_to(folder).as_posix())]


def last_name(expr: f.Expr) -> str:
    if isinstance(expr, f.Attr):
        return expr.attr
    return (
        expr.id if isinstance(expr, f.Name) else last_name(expr.func) if isinstance(expr, f.Call) else last_name(expr.value) if isinstance(expr, f.Item) else ""
    )


def opens(project: Project, value: Value) -> Iterator[str]:
    """The reasons why a value is not known completely."""
    if isinstance(value, Unknown):
        yield value.reason
    elif isinstance(value, Partial):
        yield from opens(project, value.func)
    elif isinstance(value, Bound):
        cls = value.receiver.cls if isinstance(value.receiver, Instance) else None
        if isinstance(cls, External) and cls.name in {"builtins.object", "typing.Any"}:
            yield "annotation"
    elif isinstance(value, Instance) and isinstance(value.cls, External) and value.cls.name.rpartition(".")[2] in {"object", "Any", "Callable"}:
        yield "annotation"


def state(project: Project, values: Iterable[Value]) -> tuple[str, tuple[str, ...]]:
    """ "known", "partly" or "open", and why."""
    values = [v for v in values if not (isinstance(v, Literal) and v.value is None)]
    reasons = [tuple(opens(project, v)) for v in values]
    why = tuple(dict.fromkeys(r for group in reasons for r in group))
    if not values:
        return "open", ("nothing",)
    return ("known" if not why else "partly" if any(not r for r in reasons) else "open"), why


def shape(expr: f.Expr, function: Function) -> str:
    if isinstance(expr, f.Name):
        return "parameter" if any(p.name == expr.id for p in function.facts.params) else "name"
    return type(expr).__name__.lower()


def candidates(module: Module) -> Iterator[CallSite]:
    spelled = re.compile(r"\b(?:" + "|".join(POOL | {"submit"}) + r")\s*\(")
    for function in module.functions_where(lambda text, _: spelled.search(text)):
        for site in function.calls:
            if isinstance(site.call.func, f.Attr) and site.call.func.attr in POOL | {"submit"}:
                yield site


def role_of(project: Project, site: CallSite) -> tuple[str, str]:
    """Role and place of the known pool or executor that a call is made on; ("", "") when it is none."""
    assert isinstance(site.call.func, f.Attr)
    for value in project.values(site.call.func, site.function):
        if isinstance(value, Bound) and isinstance(value.receiver, Instance) and project.role(value.receiver) in {"pool", "executor"}:
            return project.role(value.receiver), value.receiver.where
    return "", ""


def measure(folder: Path) -> Row:
    """All rows of one package."""
    files = files_of(folder)
    linked = Project(Sources(str(folder), files))
    handed = linked.submissions()
    submitting = sum(1 for module in linked.loaded if module._steps)
    linked.workers()
    parsed = sum(1 for module in linked.loaded if module._steps)
    out: Row = {
        "package": folder.name,
        "modules": len(files),
        "read": len(linked.loaded),
        "submitting": submitting,
        "parsed": parsed,
        "receivers": [],
        "callables": [],
    }
    submitted = {(s.site.site, s.role) for s in handed}
    for path in files:
        if not MENTIONED.search(linked.sources.data(path)):
            continue
        module = linked.module(path)
        alone = Project(Sources(str(folder), [path]))
        single = alone.module(path)
        alone.submissions()
        if module is None or single is None:
            continue
        own = {s.call.at: s for s in candidates(single)}
        for site in candidates(module):
            row = receiver_row(linked, site, alone, own.get(site.call.at))
            if row is not None:
                row["found"] = any((site.site, role) in submitted for role in ("task", "target")) or row["role"] == ""
                out["receivers"].append(row)
    alones: dict[str, Project] = {}
    for submission in handed:
        if submission.role in {"callback", "handler"} or submission.api.name.startswith(("threading.", "atexit.", "asyncio.create_task")):
            continue
        path = submission.site.function.path
        alone = alones.setdefault(path, Project(Sources(str(folder), [path])))
        same = [s for s in alone_submissions(alone, path) if (s.site.call.at, s.role) == (submission.site.call.at, submission.role)]
        after, why = state(alone, submission.callables)
        before = state(alone, [v for s in same for v in s.callables])[0] if same else "open"
        text = "" if submission.argument is None else shape(submission.argument, submission.site.function)
        out["callables"].append({"where": submission.where, "title": submission.title, "role": submission.role, "before": before, "after": after, "why": why,
                                 "shape": text, "public": is_public(linked, submission.argument, submission.site.function), "place":
                                 place_of(submission.site)})  # fmt: skip
    return out


def alone_submissions(alone: Project, path: str) -> tuple[Any, ...]:
    module = alone.module(path)
    return alone.submissions_of(module) if module is not None else ()


def is_public(project: Project, expr: f.Expr | None, function: Function) -> bool:
    """Whether a callable is a parameter of a function that nothing in the project calls: only users of the package know it."""
    scope: Function | None = function
    while isinstance(expr, f.Name) and scope is not None:
        if any(p.name == expr.id for p in scope.facts.params):
            return not project.callers(scope)
        scope = scope.outer
    return False


def receiver_row(linked: Project, site: CallSite, alone: Project, same: CallSite | None) -> Row | None:
    func = site.call.func
    assert isinstance(func, f.Attr)
    role, where = role_of(linked, site)
    named = NAMED.search(last_name(func.value)) is not None and not f.dotted(func.value) == "self"
    if not role and not (named if func.attr in AMBIGUOUS else True):
        return None
    values = linked.values(func, site.function)
    after, why = state(linked, values)
    before = state(alone, alone.values(same.call.func, same.function))[0] if same is not None else "open"
    group = "executor" if func.attr == "submit" or (func.attr == "map" and (role == "executor" or "ex" in last_name(func.value).lower())) else "pool"
    return {"group": group, "method": func.attr, "role": role, "where": where, "before": before, "after": after, "why": why,
            "shape": shape(func.value, site.function), "receiver": last_name(func.value), "named": bool(role) or named, "place": place_of(site)}  # fmt: skip


def place_of(site: CallSite) -> list[Any]:
    return [site.function.path, site.call.at]


def placed(result: Row) -> None:
    """Numbers of nodes become rows of files."""
    from mplint.finding.spans import resolve

    rows = [r for group in ("receivers", "callables") for r in result[group]]
    project = Project(Sources("", [r["place"][0] for r in rows]))
    wanted: dict[str, set[int]] = {}
    for row in rows:
        wanted.setdefault(row["place"][0], set()).add(row["place"][1])
    for path, ats in wanted.items():
        module = project.module(path)
        assert module is not None
        found = resolve(project.sources.read(path), module.outline, ats)
        for row in rows:
            if row["place"][0] == path and row["place"][1] in found:
                row["place"][1] = found[row["place"][1]].row


def share(rows: list[Row], when: str, *, partly: bool = False) -> str:
    good = sum(1 for r in rows if r[when] == "known" or (partly and r[when] == "partly"))
    return f"{100 * good / len(rows):.1f} %" if rows else "-"


def tell(results: list[Row], *, show_open: bool, processes: int) -> None:
    receivers = [r for result in results for r in result["receivers"]]
    callables = [r for result in results for r in result["callables"]]
    groups = {
        "Pool-style receivers": [r for r in receivers if r["group"] == "pool" and r["named"]],
        "the same, with receivers of any name": [r for r in receivers if r["group"] == "pool"],
        "executor receivers": [r for r in receivers if r["group"] == "executor"],
        "callables to processes": [r for r in callables if r["where"] == "process"],
        "callables to processes, without public parameters": [r for r in callables if r["where"] == "process" and not r["public"]],
        "callables to threads or either": [r for r in callables if r["where"] != "process"],
    }
    print("| | count | one file | one file, with partly | project | project, with partly |\n|---|---:|---:|---:|---:|---:|")
    for name, rows in groups.items():
        shares = [share(rows, when, partly=partly) for when in ("before", "after") for partly in (False, True)]
        print(f"| {name} | {len(rows)} | {' | '.join(shares)} |")
    for least in (1, 100, 200):
        some = [r for r in results if r["modules"] >= least]
        if some:
            found, reached = (statistics.median(100 * r[what] / r["modules"] for r in some) for what in ("submitting", "parsed"))
            print(
                f"\n{len(some)} packages of {least} modules or more ({sum(r['modules'] for r in some)} modules); parsed: median {found:.1f} %"
                f" to find what is handed over, {reached:.1f} % with all that workers reach"
            )
    print("receivers by place: ", dict(Counter(r["where"] or r["role"] or "other" for r in receivers)))
    print("known pools whose page nothing leads to: ", sum(1 for r in receivers if not r["found"]))
    for name, rows in groups.items():
        left = Counter(f"{r['shape']}: {' '.join(r['why'])}" for r in rows if r["after"] != "known")
        print(f"open {name}: {dict(left.most_common(12))}")
    if show_open:
        for r in (r for r in (*receivers, *callables) if r["after"] != "known" or not r.get("found", True)):
            remarks = [word for word, holds in (("public", r.get("public")), ("not reached", not r.get("found", True))) if holds]
            print(r["after"], r.get("method") or r["title"], r["shape"], *r["why"], *remarks, f"{r['place'][0]}:{r['place'][1]}")
    taken = [r for r in receivers if r["where"] == "process"]
    for r in random.Random(0).sample(taken, min(processes, len(taken))):
        print(f"process {r['receiver']}.{r['method']} {r['place'][0]}:{r['place'][1]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for each folder")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--open", action="store_true", help="list what stays open")
    parser.add_argument("--processes", type=int, default=0, metavar="N")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        result = measure(asked.folders[0].resolve())
        placed(result)
        json.dump(result, sys.stdout)
        return 0
    results: list[Row] = []
    for folder in asked.folders:
        try:
            done = subprocess.run([sys.executable, __file__, "--one", str(folder)], capture_output=True, timeout=asked.timeout, text=True)
        except subprocess.TimeoutExpired:
            print(f"{folder.name}: not done in {asked.timeout:.0f} s", file=sys.stderr)
            continue
        if done.returncode:
            print(f"{folder.name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            continue
        results.append(json.loads(done.stdout))
    if asked.json:
        asked.json.write_text(json.dumps(results))
    tell(results, show_open=asked.open, processes=asked.processes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
