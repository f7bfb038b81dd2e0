"""What a rule's `fix` can do to a file, and that nothing else in it changes."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable

import libcst as cst
import pytest

from mplint import extract, facts
from mplint.facts.outline import outline_of
from mplint.finding import Alarm, Fix, Safety, Site, spans
from mplint.fixes.edits import applied
from mplint.fixes.offers import Refusal, fixes_for
from mplint.fixes.repair import Repair
from mplint.fixes.toplevel import TopLevel
from mplint.rule import Rule
from mplint.source import Source, decode

Act = Callable[[cst.CSTNode, Repair], None]


def at_of(source: Source, code: str, kind: type[facts.Row]) -> int:
    """The number of the first row of `kind` whose span is `code`."""
    contents = outline_of(source.text)
    for number, page in enumerate(contents.pages):
        module, _ = extract.parse_page(source.lines, page)
        for row in facts.walk(*extract.steps_of(module, page, number), into_functions=True):
            if type(row) is kind:
                span = spans.resolve(source, contents, [row.at])[row.at].span
                if source.text[span.start : span.stop] == code:
                    return row.at
    raise AssertionError(f"no {kind.__name__} {code!r}")


def fix_of(text: str, code: str, act: Act, kind: type[facts.Row] = facts.Call) -> Fix | Refusal | None:
    """The fix that `act` describes for the node `code`."""

    class Tested(Rule):
        code = "XX001"
        name = "tested"

        def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
            act(node, repair)

    source = decode("x.py", text.encode())
    alarm = Alarm("XX001", Site("x.py", at_of(source, code, kind)), "message")
    return fixes_for(source, outline_of(text), [alarm], {"XX001": Tested()}).get(alarm)


def fixed(text: str, code: str, act: Act, kind: type[facts.Row] = facts.Call) -> str:
    fix = fix_of(text, code, act, kind)
    assert isinstance(fix, Fix), fix
    return applied(text, fix.edits)


def call(node: cst.CSTNode) -> cst.Call:
    return cst.ensure_type(node, cst.Call)


# -- expressions


def with_timeout(node: cst.CSTNode, repair: Repair) -> None:
    method = cst.ensure_type(call(node).func, cst.Attribute).attr
    repair.replace_source(method, method.value + "_async")
    repair.insert_text_after(node, ".get(timeout=60)")
    repair.title, repair.safety = "Wait with a timeout", Safety.SAFE


def test_a_fix_touches_nothing_else() -> None:
    text = "x = 1\ny = [p.map(f,  # why\n   'x' ), ]\r\nz=2;  # odd\n"
    fix = fix_of(text, "p.map(f,  # why\n   'x' )", with_timeout)
    assert isinstance(fix, Fix)
    assert applied(text, fix.edits) == text.replace("p.map(", "p.map_async(").replace("'x' )", "'x' ).get(timeout=60)")
    assert (fix.title, fix.safety, fix.path) == ("Wait with a timeout", Safety.SAFE, "x.py")
    assert sum(edit.span.stop - edit.span.start + len(edit.text) for edit in fix.edits) == len("_async.get(timeout=60)")


def test_a_method_below_decorators_and_classes() -> None:
    text = "class A:\n    class B:\n        @d\n        def f(self):\n            return (p).map(f)\n"
    assert fixed(text, "(p).map(f)", with_timeout) == text.replace("map(f)", "map_async(f).get(timeout=60)")


def test_replacing_by_a_changed_node_is_minimal() -> None:
    text = "def f():\n    g(a,  # one\n      b)\n"

    def act(node: cst.CSTNode, repair: Repair) -> None:
        repair.replace(node, call(node).with_changes(func=cst.Name("h")))

    fix = fix_of(text, "g(a,  # one\n      b)", act)
    assert isinstance(fix, Fix) and len(fix.edits) == 1 and fix.edits[0].text == "h"


@pytest.mark.parametrize(("text", "result"), [("f().x", "(a or b).x"), ("(f()).x", "(a or b).x"), ("g(f())", "g(a or b)"), ("f()()", "(a or b)()")])
def test_parentheses_come_when_needed(text: str, result: str) -> None:
    assert fixed(text + "\n", "f()", lambda node, repair: repair.replace_source(node, "a or b")) == result + "\n"
    assert fixed(text + "\n", "f()", lambda node, repair: repair.replace(node, cst.parse_expression("a or b"))) == result + "\n"


@pytest.mark.parametrize(
    ("text", "argument", "result"),
    [
        ("f()", "x=1", "f(x=1)"),
        ("f( )", "x", "f( x)"),
        ("f(a)", "x=1", "f(a, x=1)"),
        ("f(a, *b, **c)", "x=1", "f(a, *b, **c, x=1)"),
        ("f(a, b=1)", "x", "f(a, x, b=1)"),
        ("f(b=1)", "x == 1", "f(x == 1, b=1)"),
        ("f(a for a in b)", "x=1", "f((a for a in b), x=1)"),
        ("f(\n    a,  # one\n    b,  # two\n)", "x=1", "f(\n    a,  # one\n    b,  # two\n    x=1,\n)"),
        ("f(a, b,)", "x=1", "f(a, b, x=1,)"),
        ("f(\n    a,\n    b\n)", "x=1", "f(\n    a,\n    b, x=1\n)"),
    ],
)
def test_arguments(text: str, argument: str, result: str) -> None:
    assert fixed(text + "\n", text, lambda node, repair: repair.add_argument(call(node), argument)) == result + "\n"


@pytest.mark.parametrize(
    ("text", "index", "result"),
    [("f(a, b, c)", 0, "f(b, c)"), ("f(a, b, c)", 2, "f(a, b)"), ("f(a)", 0, "f()"), ("f(a,)", 0, "f()"), ("f(a,\n  b,\n)", 1, "f(a,\n)")],
)
def test_removing_arguments(text: str, index: int, result: str) -> None:
    assert fixed(text + "\n", text, lambda node, repair: repair.remove(call(node).args[index])) == result + "\n"


# -- statements


def before(lines: str) -> Act:
    return lambda node, repair: repair.insert_before(repair.statement_of(node), lines)


def after(lines: str) -> Act:
    return lambda node, repair: repair.insert_after(repair.statement_of(node), lines)


@pytest.mark.parametrize(
    ("text", "act", "result"),
    [
        ("if a:\n\t# why\n\tf()  # c\n\tg()\n", before("if x:\n    y\nz"), "if a:\n\t# why\n\tif x:\n\t\ty\n\tz\n\tf()  # c\n\tg()\n"),
        ("if a:\n  f()  # c\n\n  # g\n  g()\n", after("if x:\n    y"), "if a:\n  f()  # c\n  if x:\n    y\n\n  # g\n  g()\n"),
        ("def h():\n    f()", after("g()"), "def h():\n    f()\n    g()"),
        ("if a: f()\n", before("b"), "if a:\n    b\n    f()\n"),
        ("if a: f()  # c\nelse: g()\n", after("b"), "if a:\n    f()  # c\n    b\nelse: g()\n"),
        ("if a:\n    pass\nelse: f()\n", after("b"), "if a:\n    pass\nelse:\n    f()\n    b\n"),
        ("a; f(); c\n", before("b"), "a\nb\nf(); c\n"),
        ("a; f(); c\n", after("b"), "a; f()\nb\nc\n"),
        ("if x: a; f(); c\n", before("b"), "if x:\n    a\n    b\n    f(); c\n"),
        ("f(\n)\n", after("b"), "f(\n)\nb\n"),
        ("def g():\n    f()\r\n    h()\r\n", before("b\nc"), None),
        ("def g():\r\n    f()\r\n    h()\r\n", before("b\nc"), "def g():\r\n    b\r\n    c\r\n    f()\r\n    h()\r\n"),
        ("def g():\n    f()\n", before("x = '''\n  a\nb'''"), "def g():\n    x = '''\n  a\nb'''\n    f()\n"),
    ],
)
def test_lines_before_and_after(text: str, act: Act, result: str | None) -> None:
    result = result or "def g():\n    b\n    c\n    f()\r\n    h()\r\n"
    assert fixed(text, "f()" if "f()" in text else "f(\n)", act) == result


def test_lines_behind_a_compound_statement() -> None:
    text = "def g():\n    with f():\n        a\n        # still inside\n\n    # outside\n    b\n"
    result = text.replace("inside\n", "inside\n    c\n")
    assert fixed(text, "with f():", after("c"), facts.With) == result


def test_an_except_clause_before_another() -> None:
    text = "try:\n    a\n# all\nexcept Exception:\n    b\n"
    result = "try:\n    a\n# all\nexcept RecursionError:\n    raise\nexcept Exception:\n    b\n"
    act: Act = lambda node, repair: repair.insert_before(node, "except RecursionError:\n    raise")  # noqa: E731
    assert fixed(text, "except Exception:", act, facts.Handler) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("def f():\n  a\n", "def f():\n  a\n  if b:\n    c\n"),
        ("def f(): pass\n", "def f():\n    if b:\n        c\n"),
        ("def f():\n    ...  # todo\n", "def f():\n    if b:\n        c  # todo\n"),
        ("def f(): return 1", "def f():\n    return 1\n    if b:\n        c"),
        ("@d\ndef f():\n    '''doc'''\n\n\ng()\n", "@d\ndef f():\n    '''doc'''\n    if b:\n        c\n\n\ng()\n"),
        ("def f():\n    if a:\n        b\n    # end\n", "def f():\n    if a:\n        b\n    if b:\n        c\n    # end\n"),
    ],
)
def test_appending_to_a_body(text: str, result: str) -> None:
    assert fixed(text, "f", lambda node, repair: repair.append_to_body(node, "if b:\n    c"), facts.FunctionFacts) == result


def test_appending_a_method_to_a_class_with_pages() -> None:
    text = "class E(Exception):\n    def __init__(self):\n        super().__init__()\n\n\nx = E\n"
    method = "def __reduce__(self):\n    return E, ()"
    result = text.replace("__init__()\n", "__init__()\n\n    def __reduce__(self):\n        return E, ()\n")
    assert fixed(text, "E", lambda node, repair: repair.append_to_body(node, method), facts.ClassFacts) == result


def test_wrapping() -> None:
    text = "def g():\n    # first\n    a = f()\n\n    b = '''\n  kept\n    '''  # b\n    if c:\n        d\n        # deep\n    e\n"
    result = (
        "def g():\n    # first\n    try:\n        a = f()\n\n        b = '''\n  kept\n    '''  # b\n        if c:\n            d\n"
        "            # deep\n    finally:\n        x()\n    e\n"
    )

    def act(node: cst.CSTNode, repair: Repair) -> None:
        repair.wrap(repair.block_of(repair.statement_of(node))[:3], "try:", "finally:\n    x()")

    assert fixed(text, "f()", act) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("if a: v.x += f()\n", "if a:\n    with lock:\n        v.x += f()\n"),
        ("def g():\n\tv.x += f()\n", "def g():\n\twith lock:\n\t\tv.x += f()\n"),
        ("v.x += f()", "with lock:\n    v.x += f()"),
    ],
)
def test_wrapping_one_statement(text: str, result: str) -> None:
    assert fixed(text, "f()", lambda node, repair: repair.wrap([repair.statement_of(node)], "with lock:")) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a\nf()\nb\n", "a\nb\n"),
        ("if a:\n    f()\n", "if a:\n    pass\n"),
        ("if a: f()\n", "if a: pass\n"),
        ("a; f(); b\n", "a; b\n"),
        ("f(); b\n", "b\n"),
        ("a; f()\n", "a\n"),
    ],
)
def test_removing_statements(text: str, result: str) -> None:
    assert fixed(text, "f()", lambda node, repair: repair.remove(repair.statement_of(node))) == result


def test_replacing_a_statement_by_several() -> None:
    text = "def g():\n  if a: raise f()  # why\n"
    result = "def g():\n  if a:\n    b\n    if c:\n      d  # why\n"
    act: Act = lambda node, repair: repair.replace_source(repair.statement_of(node), "b\nif c:\n    d")  # noqa: E731
    assert fixed(text, "f()", act) == result


def test_replacing_a_statement_keeps_its_comments() -> None:
    text = "def g():\n    # above\n    f()  # beside\n"

    def act(node: cst.CSTNode, repair: Repair) -> None:
        line = repair.parent(repair.statement_of(node))
        assert line is not None
        repair.replace(line, cst.parse_statement("h()"))

    assert fixed(text, "f()", act) == text.replace("f()", "h()")


# -- imports


def uses(module: str, name: str) -> Act:
    return lambda node, repair: repair.replace_source(node, repair.import_name(module, name))


@pytest.mark.parametrize(
    ("text", "module", "name", "result"),
    [
        ("f()\n", "sys", "exit", "import sys\n\nsys.exit\n"),
        ("'''doc'''\nf()\n", "sys", "exit", "'''doc'''\n\nimport sys\n\nsys.exit\n"),
        ("#!/usr/bin/python\n# coding: utf-8\n\n\n# of g\ndef g(): f()\n", "sys", "",
         "#!/usr/bin/python\n# coding: utf-8\n\n\nimport sys\n\n\n# of g\ndef g(): sys\n"),
        ("from __future__ import annotations\n\nf()\n", "sys", "exit", "from __future__ import annotations\n\nimport sys\n\nsys.exit\n"),
        ("import os\nimport time\n\nf()\n", "signal", "", "import os\nimport signal\nimport time\n\nsignal\n"),
        ("import os, re\nf()\n", "sys", "", "import os, re\nimport sys\nsys\n"),
        ("from os import path\n\nf()\n", "sys", "", "import sys\nfrom os import path\n\nsys\n"),
        ("import numpy\n\nf()\n", "sys", "", "import sys\n\nimport numpy\n\nsys\n"),
        ("import sys\n\nf()\n", "loky", "x", "import sys\n\nimport loky\n\nloky.x\n"),
        ("import sys\nf()\n", "sys", "exit", "import sys\nsys.exit\n"),
        ("import sys as s\nf()\n", "sys", "exit", "import sys as s\ns.exit\n"),
        ("from sys import exit as leave\nf()\n", "sys", "exit", "from sys import exit as leave\nleave\n"),
        ("from concurrent import futures\nf()\n", "concurrent.futures", "wait", "from concurrent import futures\nfutures.wait\n"),
        ("import concurrent.futures\nf()\n", "concurrent.futures", "wait", "import concurrent.futures\nconcurrent.futures.wait\n"),
        ("import os.path\nf()\n", "os", "getpid", "import os.path\nos.getpid\n"),
        ("def g():\n    import sys as s\n    f()\n", "sys", "exit", "def g():\n    import sys as s\n    s.exit\n"),
        ("def g(sys):\n    f()\n", "sys", "exit", "import sys as _sys\n\n\ndef g(sys):\n    _sys.exit\n"),
        ("import sys\n\ndef g():\n    f()\n    sys = 1\n", "sys", "exit", "import sys\nimport sys as _sys\n\ndef g():\n    _sys.exit\n    sys = 1\n"),
        ("def g():\n    f()\n\n\nclass A:\n    def g(self, sys): pass\n", "sys", "exit",
         "import sys\n\n\ndef g():\n    sys.exit\n\n\nclass A:\n    def g(self, sys): pass\n"),
        ("def g():\n    f()\n\nimport sys\n", "sys", "exit", "def g():\n    sys.exit\n\nimport sys\n"),
        ("from .sys import exit\nf()\n", "sys", "exit", "import sys\n\nfrom .sys import exit\nsys.exit\n"),
        ("try:\n    import sys\nexcept ImportError:\n    sys = None\nf()\n", "sys", "exit",
         "import sys as _sys\n\ntry:\n    import sys\nexcept ImportError:\n    sys = None\n_sys.exit\n"),
    ],
)  # fmt: skip
def test_imports(text: str, module: str, name: str, result: str) -> None:
    assert fixed(text, "f()", uses(module, name)) == result


def test_an_import_is_added_once() -> None:
    def act(node: cst.CSTNode, repair: Repair) -> None:
        repair.replace_source(node, f"{repair.import_name('sys')}({repair.import_name('sys', 'argv')})")

    assert fixed("f()\n", "f()", act) == "import sys\n\nsys(sys.argv)\n"


# -- what is withheld


def test_no_edit_no_fix() -> None:
    assert fix_of("f()\n", "f()", lambda node, repair: None) is None
    assert fix_of("f()\n", "f()", lambda node, repair: repair.replace_source(node, "f()")) is None


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda node, repair: repair.replace_source(node, "a b"), "does not parse"),
        (lambda node, repair: (repair.replace_source(node, "a"), repair.replace_source(node, "b")), "collide"),
        (lambda node, repair: 1 / 0, "ZeroDivisionError"),
        (lambda node, repair: repair.append_to_body(node, "x"), "no block"),
    ],
)
def test_refusals(act: Act, reason: str) -> None:
    fix = fix_of("f()\n", "f()", act)
    assert isinstance(fix, Refusal) and reason in fix.reason


def test_a_file_that_does_not_survive_libcst_is_left_alone() -> None:
    fix = fix_of("\fdef g():\n    f()\n", "f()", lambda node, repair: repair.replace_source(node, "h()"))
    assert isinstance(fix, Refusal)


def test_a_fix_that_loses_a_comment_is_not_safe() -> None:
    def act(node: cst.CSTNode, repair: Repair) -> None:
        repair.safety = Safety.SAFE
        repair.remove(repair.statement_of(node))

    kept, lost = fix_of("a\nf()\n", "f()", act), fix_of("a\nf()  # why\n", "f()", act)
    assert isinstance(kept, Fix) and kept.safety is Safety.SAFE
    assert isinstance(lost, Fix) and lost.safety is Safety.UNSAFE


def test_repairs_reach_beyond_the_definition_that_is_parsed_for_them() -> None:
    text = "def f():\n    g()\n\n\nx = 1\n\n\nclass A:\n    def h(self): i()\n"

    def act(node: cst.CSTNode, repair: Repair) -> None:
        first, second, last = repair.block_of(list(repair.ancestors(node))[-2])
        repair.replace_source(repair.statement_of(node), "j()")
        repair.append_to_body(last, "def k(self): pass")
        repair.wrap([second], "if a:")

    result = "def f():\n    j()\n\n\nif a:\n    x = 1\n\n\nclass A:\n    def h(self): i()\n\n    def k(self): pass\n"
    assert fixed(text, "g()", act) == result


def test_indentation_of_a_file_is_that_of_its_definitions() -> None:
    text = "x = {\n    1: 2,\n}\nclass A: pass\n\n\ndef f():\n  pass\n"

    def act(node: cst.CSTNode, repair: Repair) -> None:
        repair.append_to_body(node, "def g(self):\n    return 1")

    kept = text.replace("class A: pass\n", "class A:\n  def g(self):\n    return 1\n")
    assert fixed(text, "A", act, facts.ClassFacts) == kept


def test_a_node_of_another_page() -> None:
    text = "def f():\n    g()\n\n\ndef h():\n    i()\n"
    source = decode("x.py", text.encode())
    other = at_of(source, "i()", facts.Call)
    assert fixed(text, "g()", lambda node, repair: repair.replace_source(repair.node(other), "j()")) == text.replace("i()", "j()")


def test_what_libcst_cannot_write_elsewhere_does_not_matter() -> None:
    text = "\fx = 1\n\n\ndef f():\n    g()\n"
    assert fixed(text, "g()", lambda node, repair: repair.replace_source(node, "h()")) == text.replace("g()", "h()")
    text = "import os\n" + text
    assert fixed(text, "g()", uses("sys", "exit")) == text.replace("import os\n", "import os\nimport sys\n").replace("g()", "sys.exit")


def test_clauses() -> None:
    text = "try:\n    f()\nexcept:  # all\n    pass\n"

    def bare(node: cst.CSTNode, repair: Repair) -> None:
        handler = cst.ensure_type(node, cst.ExceptHandler)
        repair.replace(handler, handler.with_changes(type=cst.Name("Exception"), whitespace_after_except=cst.SimpleWhitespace(" ")))

    assert fixed(text, "except:", bare, facts.Handler) == text.replace("except:", "except Exception:")
    text = "try:\n    f()\nexcept A:\n    b\n    # end\nexcept B:\n    c\n"

    def star(node: cst.CSTNode, repair: Repair) -> None:
        statement = cst.ensure_type(repair.parent(node), cst.Try)
        for handler in statement.handlers:
            repair.insert_text_before(cst.ensure_type(handler.type, cst.Name), "*")

    if sys.version_info >= (3, 11):
        assert fixed(text, "except A:", star, facts.Handler) == text.replace("except ", "except *")
    assert fixed(text, "except A:", lambda node, repair: repair.remove(node), facts.Handler) == "try:\n    f()\nexcept B:\n    c\n"
    after = "try:\n    f()\nexcept A:\n    b\n    # end\nexcept C: pass\nexcept B:\n    c\n"
    assert fixed(text, "except A:", lambda node, repair: repair.insert_after(node, "except C: pass"), facts.Handler) == after


def test_a_tuple_and_a_guard() -> None:
    assert fixed("p(args=(x))\n", "x", lambda node, repair: repair.replace_source(node, "x,"), facts.Name) == "p(args=(x,))\n"
    text = "import a\n\n# start\nf(\n  1)\n"
    act: Act = lambda node, repair: repair.wrap([repair.statement_of(node)], 'if __name__ == "__main__":')  # noqa: E731
    assert fixed(text, "f(\n  1)", act) == 'import a\n\n# start\nif __name__ == "__main__":\n    f(\n      1)\n'


def test_code_of_a_statement_has_no_margin() -> None:
    text = "class A:\n    def f(self):\n        if a:\n            b = '''\n        c'''\n        g()\n"

    def act(node: cst.CSTNode, repair: Repair) -> None:
        block = repair.block_of(repair.statement_of(node))
        repair.insert_after(block[-1], repair.code(block[0]))
        repair.remove(block[0])

    assert fixed(text, "g()", act) == "class A:\n    def f(self):\n        g()\n        if a:\n            b = '''\n        c'''\n"


@pytest.mark.parametrize(
    "text",
    [
        'import abc; x = """\nimport zlib\n"""\n',
        'x = """\n"""; import abc\n',
        'import abc; x = """\n"""; y = """\n"""\nprint(x)\n',
        "import zlib; x = [\n    1,\n]\n",
        '"""What it is."""; x = """\n"""\n',
        'x = """\n"""; import zlib; y = 1\n',
    ],
)
def test_an_import_is_put_between_statements(text: str) -> None:
    """A line may hold more than one statement, and a statement more than one line."""
    source = Source("/p/a.py", text.encode(), text)
    after = applied(text, [TopLevel(source).addition("sys", "import sys")])
    told = [ast.dump(node) for node in ast.parse(after).body]
    added = ast.dump(ast.parse("import sys").body[0])
    assert added in told
    assert [node for node in told if node != added] == [ast.dump(node) for node in ast.parse(text).body]
