"""Random exception classes with a construction, and what pickle really does to them."""

from __future__ import annotations

import io
import pickle
import random
import sys
import threading
import types
from dataclasses import dataclass

BASES = (
    "Exception", "Exception", "ValueError", "KeyError", "RuntimeError", "OSError", "AttributeError", "SystemExit", "StopIteration",
    "ImportError", "ConnectionError", "NameError", "SyntaxError", "UnicodeDecodeError",
)  # fmt: skip
LITERALS = {"name": ("'disk'", "'x'"), "code": ("7", "404"), "why": ("'full'", "'gone'"), "path": ("'/tmp/a'", "'b.txt'"), "size": ("3", "2.5")}
UNSEEN = {"name": "'disc-7'", "code": "31", "why": "'too full'", "path": "'/srv/q'", "size": "8.25"}
"""Values that a reader of the module cannot know, unlike any default: what happens does not depend on luck."""
FIELDS = {
    "OSError": ("errno", "strerror", "filename", "filename2"), "ImportError": ("msg", "name", "path"), "StopIteration": ("value",),
    "SystemExit": ("code",), "SyntaxError": ("msg", "filename", "lineno", "offset", "text"), "NameError": ("name",), "AttributeError": ("name",),
    "UnicodeDecodeError": ("encoding", "object", "start", "end", "reason"),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A module: `make()` in it returns an instance of `Broken`."""

    source: str
    base: str


def case(seed: int) -> Case:
    """The class of this seed."""
    return _Writer(random.Random(seed)).module()


class _Writer:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def module(self) -> Case:
        base = self.rng.choice(BASES)
        lines = ["import copyreg", "import functools", "import threading", "from dataclasses import dataclass, field", ""]
        if self.chance(0.14):
            names = self.dataclass(base, lines)
            lines += ["", "def make(opaque):", f"    return Broken({self.call(names)})"]
            return Case("\n".join(lines) + "\n", base)
        parent = None
        if self.chance(0.4):
            parent = self.params()
            lines += self.cls("Base", base, parent, None)
        params = self.params()
        lines += self.cls("Broken", "Base" if parent else base, params, parent)
        if self.chance(0.03):
            if self.chance(0.2):
                lines += ["copyreg.pickle(Broken, lambda e: (type(e), e.args))"]
            else:
                lines += ["def _rebuild(e):", "    return type(e), e.args", "", "copyreg.pickle(Broken, _rebuild)"]
        lines += ["", "def make(opaque):", f"    return Broken({self.call(params)})"]
        return Case("\n".join(lines) + "\n", base)

    def params(self) -> list[tuple[str, str]]:
        """Names and kinds: "required", "default", "keyword", "keyword-default", "*", "**"."""
        names = self.rng.sample(sorted(LITERALS), self.rng.randint(0, 3))
        out = [(n, "required") for n in names]
        for i in range(len(out) - 1, -1, -1):
            if not self.chance(0.3):
                break
            out[i] = (out[i][0], "default")
        if self.chance(0.1):
            out.append(("args", "*"))
        if self.chance(0.18):
            left = [n for n in sorted(LITERALS) if n not in names]
            out.append((self.rng.choice(left), "keyword" if self.chance(0.5) else "keyword-default"))
        if self.chance(0.07):
            out.append(("extra", "**"))
        return out

    def signature(self, params: list[tuple[str, str]]) -> str:
        out = ["self"]
        star = False
        for name, kind in params:
            if kind.startswith("keyword") and not star:
                out.append("*")
            star = star or kind == "*"
            default = f"={self.rng.choice(['None', *LITERALS[name]])}" if kind.endswith("default") else ""
            out.append(f"{kind if kind in ('*', '**') else ''}{name}{default}")
        return ", ".join(out)

    def usable(self, params: list[tuple[str, str]]) -> list[str]:
        return [n for n, k in params if k not in ("*", "**")]

    def cls(self, name: str, base: str, params: list[tuple[str, str]], parent: list[tuple[str, str]] | None) -> list[str]:
        usable = self.usable(params)
        out = [f"class {name}({base}):"]
        slot = self.rng.choice(usable) if usable and self.chance(0.06) else ""
        if slot:
            out.append(f"    __slots__ = ({slot!r},)")
        if self.chance(0.04) and usable:
            out += ["    @property", f"    def {self.rng.choice(usable)}_(self):", "        return 1"]
        if self.chance(0.07) and name == "Broken":
            out += self.new(params)
            if self.chance(0.5):
                return out + [""]
        if self.chance(0.07) and name == "Broken" and parent is not None:
            return [f"class {name}({base}):", "    pass", ""] if not (params.clear() or params.extend(parent)) else []
        out.append(f"    def __init__({self.signature(params)}):")
        body = [f"self.{n} = {n}" for n in usable if self.chance(0.8) or n == slot]
        call = self.super_call(params, parent)
        if call:
            body.insert(0 if self.chance(0.5) else len(body), call)
        if self.chance(0.06) and usable:
            body.append(f"self.args = ({', '.join(self.rng.sample(usable, len(usable)))},)")
        if self.chance(0.05):
            body.append(self.rng.choice(["self.lock = threading.Lock()", "self.hook = lambda: 1", "self.rows = (x for x in ())"]))
        if self.chance(0.06) and usable:
            body.append(
                self.rng.choice(["self.upper = {}.upper()", "self.more = {} + 1", "self.label = 'n=%d' % {}", "self.first = {}[0]"]).format(
                    self.rng.choice(usable)
                )
            )
        if self.chance(0.06) and usable:
            one = self.rng.choice(usable)
            body.insert(0, f"if {one} is None:\n            {one} = 'unset'")
        out += [f"        {line}" for line in body or ["pass"]]
        if self.chance(0.1):
            out += self.reduce(usable)
        if self.chance(0.05):
            out += ["    def __getnewargs__(self):", f"        return ({''.join(f'self.{n}, ' for n in usable)})"]
        if self.chance(0.04):
            out += ["    def __getstate__(self):", "        return {}"]
        if self.chance(0.04):
            out += ["    def __setstate__(self, state):", "        self.__dict__.update(state)"]
        if self.chance(0.1):
            out += ["    def __str__(self):", "        return 'broken: ' + repr(self.args)"]
        return out + [""]

    def super_call(self, params: list[tuple[str, str]], parent: list[tuple[str, str]] | None) -> str:
        usable = self.usable(params)
        star = next((n for n, k in params if k == "*"), "")
        if self.chance(0.15):
            return ""
        if parent is not None and self.chance(0.6):
            given = [self.rng.choice([*usable, "'fixed'"]) for n, k in parent if k == "required"]
            given += [f"{n}={self.rng.choice([*usable, '5'])}" for n, k in parent if k == "keyword"]
            return f"super().__init__({', '.join(given)})"
        one = self.rng.choice(usable) if usable else "'nothing'"
        two = self.rng.choice(usable) if usable else "0"
        choices = [
            "super().__init__()", "super().__init__('constant')", f"super().__init__({one})", f"super().__init__(f'failed: {{{one}}}')",
            f"super().__init__({', '.join(usable)})", f"super().__init__({', '.join(reversed(usable))})", f"super().__init__({one}, {two})",
            f"super().__init__('%s at %s' % ({one}, {two}))", f"super().__init__('{{}}'.format({one}))", f"super().__init__(str({one}))",
            f"super().__init__({one}, 'more')", f"super().__init__({one} or 'default')", f"super().__init__({', '.join(usable)})",
        ]  # fmt: skip
        if star:
            choices += [f"super().__init__(*{star})", f"super().__init__({one}, *{star})"]
        return self.rng.choice(choices)

    def new(self, params: list[tuple[str, str]]) -> list[str]:
        passed = self.rng.choice([", ".join(self.usable(params)), self.rng.choice([*self.usable(params), "'new'"]), ""])
        return [
            f"    def __new__({self.signature(params).replace('self', 'cls', 1)}):",
            f"        return super().__new__(cls{', ' + passed if passed else ''})",
        ]

    def reduce(self, usable: list[str]) -> list[str]:
        picked = usable if self.chance(0.6) else usable[:-1]
        inner = "".join(f"self.{n}, " for n in picked)
        return self.rng.choice([
            ["    def __reduce__(self):", f"        return type(self), ({inner}), self.__dict__"],
            ["    def __reduce__(self):", f"        return type(self), ({inner})"],
            ["    def __reduce__(self):", f"        return self.__class__, ({inner}), dict(self.__dict__)"],
            ["    def __reduce__(self):", "        return copyreg.__newobj__, (type(self), *self.args), self.__dict__"],
            ["    def __reduce__(self):", "        return type(self), self.args"],
            ["    def __reduce_ex__(self, protocol):", f"        return functools.partial(type(self), {', '.join(f'{n}=self.{n}' for n in picked)}), (), self.__dict__"],
        ])  # fmt: skip

    def dataclass(self, base: str, lines: list[str]) -> list[tuple[str, str]]:
        options = [o for o, p in (("kw_only=True", 0.2), ("frozen=True", 0.12), ("eq=False", 0.2)) if self.chance(p)]
        names = self.rng.sample(sorted(LITERALS), self.rng.randint(1, 3))
        kinds = ["required"] * len(names)
        if self.chance(0.4):
            kinds[-1] = "default"
        if self.chance(0.25) and len(names) > 1:
            lines += [f"@dataclass({', '.join(options)})", f"class Base({base}):", f"    {names[0]}: object", ""]
            head, fields = "Base", list(zip(names, kinds))[1:]
        else:
            head, fields = base, list(zip(names, kinds))
        lines += [f"@dataclass({', '.join(options)})", f"class Broken({head}):"]
        for name, kind in fields:
            default = "" if kind == "required" else f" = {LITERALS[name][0]}" if self.chance(0.7) else f" = field(default={LITERALS[name][0]})"
            lines.append(f"    {name}: object{default}")
        if self.chance(0.3):
            given = self.rng.choice([", ".join(f"self.{n}" for n in names), f"f'bad {{self.{names[0]}}}'", ""])
            lines += ["    def __post_init__(self):", f"        super().__init__({given})"]
        lines.append("")
        keyword = "kw_only=True" in options
        return [(n, ("keyword" if k == "required" else "keyword-default") if keyword else k) for n, k in zip(names, kinds)]

    def call(self, params: list[tuple[str, str]]) -> str:
        """Arguments of the construction: positional, by keyword or mixed; some values are unknown to a reader."""
        mode = self.rng.choice(["positional", "positional", "keyword", "mixed"])
        args: list[str] = []
        named: list[str] = []
        for name, kind in params:
            if kind == "*":
                if not named:
                    args += [self.rng.choice(["1", "'star'"])] * self.rng.randint(0, 2)
                continue
            if kind == "**":
                named += ["more=1"] * self.chance(0.5)
                continue
            if kind.endswith("default") and self.chance(0.5):
                mode = "keyword"
                continue
            value = f"opaque({UNSEEN[name]})" if self.chance(0.3) else self.rng.choice(LITERALS[name])
            if kind.startswith("keyword") or mode == "keyword" or named or (mode == "mixed" and self.chance(0.5)):
                named.append(f"{name}={value}")
            else:
                args.append(value)
        return ", ".join(args + named)


_MADE_AGAIN = (types.FunctionType, types.GeneratorType, type(threading.Lock()))


def picture(error: BaseException) -> dict[str, object]:
    """All that can be seen of an exception."""
    attributes = {name: type(value) if isinstance(value, _MADE_AGAIN) else value for name, value in error.__dict__.items()}
    seen: dict[str, object] = {"type": type(error), "args": tuple(repr(a) if isinstance(a, list) else a for a in error.args), "dict": attributes}
    for cls in type(error).__mro__:
        for name in [*FIELDS.get(cls.__name__, ()), *vars(cls).get("__slots__", ())]:
            seen[name] = getattr(error, name, "<none>")
    try:
        seen["text"] = str(error)
    except Exception as failure:
        seen["text"] = type(failure).__name__
    return seen


def reality(source: str) -> str:
    """ "OK", "FAIL", "CORRUPT" or "DUMP" by a real round trip; "NONE" when the module makes no instance."""
    module = types.ModuleType("random_exception_case")
    sys.modules[module.__name__] = module
    try:
        try:
            exec(compile(source, "<case>", "exec"), module.__dict__)
            error = module.make(lambda value: value)
        except Exception:
            return "NONE"
        try:
            data = io.BytesIO()
            pickle.Pickler(data).dump(error)
        except Exception:
            return "DUMP"
        before = picture(error)
        try:
            back = pickle.loads(data.getvalue())
        except Exception:
            return "FAIL"
        return "OK" if picture(back) == before else "CORRUPT"
    finally:
        del sys.modules[module.__name__]
