"""What is said to be refused by pickle is refused by this Python, as far as it is in the standard library."""

from __future__ import annotations

import argparse
import asyncio
import bz2
import codecs
import contextvars
import csv
import gzip
import hashlib
import io
import logging
import logging.handlers
import lzma
import mmap
import os
import queue
import selectors
import sqlite3
import ssl
import subprocess
import sys
import tarfile
import tempfile
import threading
import weakref
import zipfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.reduction import ForkingPickler

import pytest

from mplint.apis.unpicklable import GIVES, PLACES, REFUSED


async def _running() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def _loop() -> object:
    return asyncio.run(_running())


MADE: dict[str, Callable[[], object]] = {
    "builtins.open": lambda: open(os.devnull),
    "io.open": lambda: io.open(os.devnull),
    "io.TextIOWrapper": lambda: io.TextIOWrapper(io.FileIO(os.devnull)),
    "codecs.open": lambda: codecs.StreamReaderWriter(open(os.devnull, "rb"), codecs.getreader("utf-8"), codecs.getwriter("utf-8")),
    "codecs.StreamReaderWriter": lambda: codecs.StreamReaderWriter(open(os.devnull, "rb"), codecs.getreader("utf-8"), codecs.getwriter("utf-8")),
    "gzip.open": lambda: gzip.open(os.devnull),
    "gzip.GzipFile": lambda: gzip.GzipFile(os.devnull),
    "zipfile.ZipFile": lambda: zipfile.ZipFile(io.BytesIO(), "w"),
    "mmap.mmap": lambda: mmap.mmap(-1, 1),
    "sqlite3.connect": lambda: sqlite3.connect(":memory:"),
    "sqlite3.Connection": lambda: sqlite3.Connection(":memory:"),
    "bz2.open": lambda: bz2.open(io.BytesIO(), "w"),
    "bz2.BZ2File": lambda: bz2.BZ2File(io.BytesIO(), "w"),
    "lzma.open": lambda: lzma.open(io.BytesIO(), "w"),
    "lzma.LZMAFile": lambda: lzma.LZMAFile(io.BytesIO(), "w"),
    "tarfile.open": lambda: tarfile.open(os.devnull, "w"),
    "tarfile.TarFile": lambda: tarfile.TarFile(os.devnull, "w"),
    "csv.reader": lambda: csv.reader(io.StringIO()),
    "csv.writer": lambda: csv.writer(io.StringIO()),
    "csv.DictReader": lambda: csv.DictReader(io.StringIO()),
    "csv.DictWriter": lambda: csv.DictWriter(io.StringIO(), []),
    "hashlib.new": lambda: hashlib.new("sha1"),
    "hashlib.md5": hashlib.md5,
    "hashlib.sha1": hashlib.sha1,
    "hashlib.sha256": hashlib.sha256,
    "hashlib.sha512": hashlib.sha512,
    "hashlib.HASH": hashlib.sha256,
    "selectors.DefaultSelector": selectors.DefaultSelector,
    "weakref.ref": lambda: weakref.ref(pytest),
    "weakref.WeakKeyDictionary": weakref.WeakKeyDictionary,
    "weakref.WeakValueDictionary": weakref.WeakValueDictionary,
    "asyncio.new_event_loop": _loop,
    "asyncio.get_event_loop": _loop,
    "asyncio.get_running_loop": _loop,
    "asyncio.AbstractEventLoop": _loop,
    "threading.local": threading.local,
    "tempfile.NamedTemporaryFile": tempfile.NamedTemporaryFile,
    "tempfile.TemporaryFile": tempfile.TemporaryFile,
    "contextvars.ContextVar": lambda: contextvars.ContextVar("name"),
    "ssl.create_default_context": ssl.create_default_context,
    "ssl.SSLContext": lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    "subprocess.Popen": lambda: subprocess.Popen([sys.executable, "-c", ""]),
    "argparse.ArgumentParser": argparse.ArgumentParser,
    "logging.Handler": logging.Handler,
    "logging.StreamHandler": logging.StreamHandler,
    "logging.FileHandler": lambda: logging.FileHandler(os.devnull, delay=True),
    "logging.handlers.RotatingFileHandler": lambda: logging.handlers.RotatingFileHandler(os.devnull, delay=True),
    "logging.handlers.TimedRotatingFileHandler": lambda: logging.handlers.TimedRotatingFileHandler(os.devnull, delay=True),
    "logging.handlers.QueueHandler": lambda: logging.handlers.QueueHandler(queue.Queue()),
}

ROLES: tuple[Callable[[], object], ...] = (
    threading.Lock, threading.RLock, threading.Event, threading.Condition, threading.Semaphore, lambda: threading.Barrier(2), threading.Thread,
    queue.Queue, queue.SimpleQueue, Future, ThreadPoolExecutor,
)  # fmt: skip


def test_all_of_the_standard_library_is_here() -> None:
    named = {name for name in {**GIVES, **REFUSED} if name.partition(".")[0] in sys.stdlib_module_names}
    assert named == MADE.keys()


@pytest.mark.parametrize("make", [*MADE.values(), *ROLES], ids=[*MADE, *(getattr(make, "__name__", "made") for make in ROLES)])
def test_refused(make: Callable[[], object]) -> None:
    made = make()
    if isinstance(made, subprocess.Popen):
        made.wait()
    with pytest.raises((TypeError, AttributeError)):
        ForkingPickler.dumps(made)


def test_what_calls_give_is_refused() -> None:
    assert set(GIVES.values()) <= REFUSED.keys()


@pytest.mark.parametrize("name", PLACES)
def test_refused_attributes_of_modules(name: str) -> None:
    program = f"import sys\nfrom multiprocessing.reduction import ForkingPickler\nForkingPickler.dumps({name})"
    done = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert "TypeError: cannot pickle" in done.stderr
