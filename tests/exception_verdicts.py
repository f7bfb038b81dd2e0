"""What mplint says of a random exception class, and what its fixes make of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from mplint.config import Options, load
from mplint.finding import Finding
from mplint.fixes.rewrite import rewrite
from mplint.project import Project
from mplint.session import Session
from mplint.source import Sources
from mplint.verdict.judge import Verdict, verdict
from mplint.verdict.shapes import Shapes

PATH = "/random/case.py"


def predicted(source: str, name: str = "Broken", version: tuple[int, int] = sys.version_info[:2]) -> Verdict | None:
    """The verdict on a class of a module, from its text alone."""
    project = Project(Sources("/random", (PATH,), {PATH: source.encode()}))
    module = project.module(PATH)
    assert module is not None
    cls = module.class_(name)
    assert cls is not None
    return verdict(project, Shapes(project, version), cls)


def repaired(source: str) -> str:
    """The module after all safe fixes of the exception rules; the same text when none is offered."""
    version = "{}.{}".format(*sys.version_info[:2])
    settings = load("/random", command_line=Options(select=("MP201", "MP202"), preview=True), config=(f'target-version = "{version}"',), isolated=True)

    def recheck(texts: Mapping[str, str]) -> list[Finding]:
        session = Session(settings, [PATH], overlays={PATH: texts.get(PATH, source).encode()})
        return list(session.check([PATH]).findings)

    return rewrite({PATH: source}, recheck({}), recheck).texts.get(PATH, source)
