"""What there is in a folder, in one sentence."""

from multiprocessing.pool import AsyncResult
from pathlib import Path


def summarise(surveys: dict[Path, AsyncResult[float]]) -> str:
    """Waits for every survey."""
    brightness = collect(surveys)
    if not brightness:
        return "no pictures"
    darkest = min(brightness, key=lambda path: brightness[path])
    return f"{len(brightness)} pictures, the darkest is {darkest}"


def collect(surveys: dict[Path, AsyncResult[float]]) -> dict[Path, float]:
    return {path: survey.get() for path, survey in surveys.items()}
