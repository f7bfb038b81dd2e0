"""How a worker is told to hurry up and to go home."""

import logging
import signal
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec, TypeVar

from darkroom.errors import Shutdown, TooSlow

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


def prepare() -> None:
    """Let a worker end tidily when the service is stopped."""
    signal.signal(signal.SIGTERM, _on_term)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def in_time(seconds: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a call that may take so many seconds.  Raises TooSlow."""
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.alarm(seconds)
    result = function(*args, **kwargs)
    signal.alarm(0)
    return result


def _on_term(signum: int, frame: FrameType | None) -> None:
    log.info("stopping")
    raise Shutdown("the service is stopping")


def _on_alarm(signum: int, frame: FrameType | None) -> None:
    raise TooSlow("the picture took too long")
