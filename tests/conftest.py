"""Proofs run beside the other tests: a program that hangs costs time and no work."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, settings

from mplint.prove import Proof, prove
from mplint.rule import Rule

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure() -> None:
    """A shell makes what runs in the background deaf to Ctrl-C, and so would be the commands that tests interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def proofs(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[tuple[Proof, ...]]]]:
    """The proofs of the rules whose endings are tested in this session, by code; at most four programs run at a time."""
    wanted = [item for item in request.session.items if isinstance(item, pytest.Function) and item.originalname == "test_endings"]
    rules = [rule for item in wanted if isinstance(rule := item.callspec.params.get("rule"), Rule)]
    executor = ThreadPoolExecutor(4)
    try:
        yield {rule.code: executor.submit(prove, rule.example) for rule in rules}
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
