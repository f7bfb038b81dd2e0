"""Worker classes on their way to the place where they are made: each way is a small project, and what it makes is known (or is known not to be)."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_values import linked

HEAD = """
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import Process, Queue
from threading import Thread

class Worker(Process):
    def __init__(self, out=None):
        super().__init__()
    def run(self):
        pass

class Other(Thread):
    def __init__(self, out=None):
        super().__init__()
    def run(self):
        pass

def task():
    pass
"""

RUNNER = """
class Runner:
    def __init__(self, session=None, worker_class=None, **options):
        self.worker_class = worker_class
    def go(self, out):
        self.worker_class(out).start()
"""

WAYS: dict[str, str] = {
    "default of a parameter": """
class Runner:
    def __init__(self, worker_class=Worker):
        self.worker_class = worker_class
    def go(self):
        self.worker_class().start()
""",
    "attribute of a subclass": """
class Base:
    worker_class = None
    def go(self):
        self.worker_class().start()
class Runner(Base):
    worker_class = Worker
""",
    "attribute that a subclass replaces": """
class Base:
    worker_class = Other
    def go(self):
        self.worker_class().start()
class Runner(Base):
    worker_class = Worker
""",
    "method that subclasses define": """
class Base:
    def get_worker_class(self):
        raise NotImplementedError
    def go(self):
        self.get_worker_class()().start()
class Runner(Base):
    def get_worker_class(self):
        return Worker
""",
    "default of a lookup": """
class Runner:
    def __init__(self, **options):
        self.worker_class = options.pop("worker_class", Worker)
    def go(self):
        self.worker_class().start()
""",
    "default of getattr": """
def go(settings):
    cls = getattr(settings, "worker_class", Worker)
    cls().start()
""",
    "key of a dict": """
KINDS = {"process": Worker, "thread": Other}
def go():
    KINDS["process"]().start()
""",
    "key of a dict that is not known": """
KINDS = {"process": Worker, "thread": Other}
def go(kind):
    cls = KINDS.get(kind)
    cls().start()
""",
    "keyword handed up": RUNNER
    + """
class Batch(Runner):
    def __init__(self, **options):
        super().__init__(None, **options)
def main():
    Batch(worker_class=Worker).go(None)
""",
    "places handed up": RUNNER
    + """
class Batch(Runner):
    def __init__(self, *args):
        super().__init__(*args)
def main():
    Batch(None, Worker).go(None)
""",
    "keyword put in and handed up": RUNNER
    + """
class Batch(Runner):
    def __init__(self, **options):
        options["worker_class"] = Worker
        super().__init__(None, **options)
""",
    "options in a dict": RUNNER
    + """
def main():
    options = dict(worker_class=Worker)
    Runner(**options).go(None)
""",
    "keyword taken out": """
class Runner:
    def __init__(self, **options):
        self.worker_class = options["worker_class"]
    def go(self):
        self.worker_class().start()
def main():
    Runner(worker_class=Worker).go()
""",
    "partial": """
make = partial(Worker, None)
def go():
    make().start()
""",
    "cls of a class method": """
class Made(Worker):
    @classmethod
    def create(cls):
        return cls()
def go():
    Made.create().start()
""",
    "list of a registry": """
class Registry:
    def __init__(self):
        self.classes = []
    def add(self, cls):
        self.classes.append(cls)
    def go(self):
        for cls in self.classes:
            cls().start()
def main():
    registry = Registry()
    registry.add(Worker)
""",
}

APART: dict[str, str] = {
    "another key": """
KINDS = {"process": Worker, "thread": Other}
def go():
    KINDS["thread"]().start()
""",
    "another keyword": RUNNER
    + """
class Batch(Runner):
    def __init__(self, **options):
        super().__init__(None, **options)
def main():
    Batch(error_class=Worker).go(None)
""",
    "another place": RUNNER
    + """
class Batch(Runner):
    def __init__(self, *args):
        super().__init__(*args)
def main():
    Batch(Worker).go(None)
""",
    "attribute that is made": """
class Base:
    def go(self):
        Runner().worker_class().start()
class Runner(Base):
    worker_class = Other
class Later(Runner):
    worker_class = Worker
""",
}


@pytest.mark.parametrize("name", WAYS)
def test_the_class_arrives(tmp_path: Path, name: str) -> None:
    assert "Worker.run" in _runs(tmp_path, WAYS[name])


@pytest.mark.parametrize("name", APART)
def test_only_there(tmp_path: Path, name: str) -> None:
    assert "Worker.run" not in _runs(tmp_path, APART[name])


EXECUTORS: dict[str, tuple[str, set[str]]] = {
    "default of a parameter": ("def go(cls=ProcessPoolExecutor):\n    with cls(3) as ex:\n        ex.submit(task)\n", {"process"}),
    "default of a lookup": (
        "class Runner:\n"
        "    def __init__(self, **options):\n"
        "        self.cls = options.pop('executor', ThreadPoolExecutor if options.pop('threads', False) else ProcessPoolExecutor)\n"
        "    def go(self):\n"
        "        self.cls(3).submit(task)\n",
        {"process", "thread"},
    ),
    "key of a dict": ("KINDS = {'p': ProcessPoolExecutor, 't': ThreadPoolExecutor}\ndef go():\n    KINDS['t'](3).submit(task)\n", {"thread"}),
    "function that makes one": ("def make(n):\n    return ProcessPoolExecutor(n)\ndef go(made=make):\n    made(3).submit(task)\n", {"process"}),
    "its own method": ("class Farm(ProcessPoolExecutor):\n    def go(self):\n        self.submit(task)\n", {"process"}),
}


@pytest.mark.parametrize("name", EXECUTORS)
def test_executors_arrive(tmp_path: Path, name: str) -> None:
    source, where = EXECUTORS[name]
    project = linked(tmp_path, {"main.py": HEAD + source})
    assert {s.where for s in project.submissions() if s.role == "task"} == where


TARGETS: dict[str, tuple[str, set[str]]] = {
    "own method": (
        "def __init__(self):\n        super().__init__(target=self.loop)\n    def loop(self):\n        pass\ndef go():\n    Own().start()",
        {"Own.loop"},
    ),
    "by the class": ("def __init__(self):\n        Process.__init__(self, None, task)\ndef go():\n    Own().start()", {"task"}),
    "parameter": ("def __init__(self, job):\n        super().__init__(target=job)\ndef go():\n    Own(task).start()", {"task"}),
    "keywords": ("def __init__(self, **options):\n        super().__init__(**options)\ndef go():\n    Own(target=task).start()", {"task"}),
    "run in its place": (
        "def __init__(self):\n        super().__init__(target=task)\n    def run(self):\n        pass\ndef go():\n    Own().start()",
        {"Own.run"},
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_that_constructors_hand_up(tmp_path: Path, name: str) -> None:
    source, expected = TARGETS[name]
    project = linked(tmp_path, {"main.py": HEAD + "class Own(Process):\n    " + source + "\n"})
    module = project.module(str(tmp_path / "main.py"))
    assert module is not None
    assert {c.qualname for s in project.submissions() if s.role == "run" for c in s.callees} == expected
    assert {function.qualname for function in project.workers()} >= expected


def _runs(root: Path, source: str) -> set[str]:
    project = linked(root, {"main.py": HEAD + source})
    return {function.qualname for submission in project.submissions() if submission.where == "process" for function in submission.callees}
