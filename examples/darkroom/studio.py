"""The pool of workers that develop pictures."""

from __future__ import annotations

import multiprocessing
from multiprocessing.pool import AsyncResult
from pathlib import Path
from types import TracebackType

from darkroom import tasks


class Studio:
    """Workers for as long as the `with` block lasts."""

    def __init__(self, workers: int, level: int) -> None:
        self.crew = multiprocessing.Pool(workers, initializer=tasks.start, initargs=(level,))

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.crew.terminate()
        self.crew.join()

    def develop(self, pictures: list[Path]) -> list[Path]:
        """Make a thumbnail beside each picture."""
        return self.crew.map(tasks.develop, pictures)

    def survey(self, pictures: list[Path]) -> dict[Path, AsyncResult[float]]:
        """Begin to measure the brightness of each picture."""
        return {picture: self.crew.apply_async(tasks.measure, (picture,)) for picture in pictures}
