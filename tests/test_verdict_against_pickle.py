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
def test_visible_values_are_judged_exactly(example: Case) -> None:
    assume("opaque(" not in example.source)
    truth = reality(example.source)
    assume(truth != "NONE")
    found = predicted(example.source)
    assert found is not None
    if found.kind == "OK":
        assert truth == "OK", example.source
    elif found.kind in BAD and truth in BAD:
        assert found.kind == truth, example.source


def test_unknown_values_are_judged_almost_exactly() -> None:
    """What a parameter is at run time is unknown to a linter: here the rates count, over a fixed population."""
    pairs = [(truth, found.kind) for seed in range(400) if (truth := reality((source := case(seed).source))) != "NONE" and (found := predicted(source))]
    broken = [kind for truth, kind in pairs if truth in BAD and (kind in BAD or kind == "OK")]
    alarms = [truth for truth, kind in pairs if kind in BAD]
    kinds = [truth == kind for truth, kind in pairs if truth in BAD and kind in BAD]
    assert len(pairs) > 300 and len(broken) > 100
    assert sum(kind in BAD for kind in broken) >= 0.98 * len(broken)
    assert sum(truth in BAD for truth in alarms) >= 0.98 * len(alarms)
    assert sum(kinds) >= 0.95 * len(kinds)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_nothing_good_is_called_broken(example: Case) -> None:
    assume("opaque(" not in example.source and reality(example.source) == "OK")
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
