"""The verdict and its fix against real pickle, on random exception classes.  The long run is `benchmarks/verdict.py`."""

from __future__ import annotations

from exception_verdicts import predicted, repaired
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_exceptions import Case, case, reality

BAD = {"FAIL", "CORRUPT", "DUMP"}
CASES = st.integers(min_value=0, max_value=2**32).map(case)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_nothing_broken_is_called_good(example: Case) -> None:
    truth = reality(example.source)
    assume(truth != "NONE")
    found = predicted(example.source)
    assert found is not None
    if found.kind == "OK":
        assert truth == "OK", example.source
    elif found.kind in BAD and truth in BAD and "opaque(" not in example.source:
        assert found.kind == truth, example.source  # the type of an unknown value decides between a failure and a change


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_nothing_good_is_called_broken(example: Case) -> None:
    assume(reality(example.source) == "OK")
    found = predicted(example.source)
    assert found is not None
    assert found.kind not in BAD, example.source


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_a_repaired_class_survives(example: Case) -> None:
    found = predicted(example.source)
    assume(found is not None and found.kind in {"FAIL", "CORRUPT"} and reality(example.source) in BAD)
    after = repaired(example.source)
    still = predicted(after)
    assume(still is not None and still.kind not in BAD)
    assert reality(after) == "OK", after
