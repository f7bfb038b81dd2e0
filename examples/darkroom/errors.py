"""What can go wrong."""

from pathlib import Path


class DarkroomError(Exception):
    """Anything that this package raises."""


class Shutdown(DarkroomError):
    """The worker was asked to end."""


class TooSlow(DarkroomError):
    """A picture took longer than it may."""


class Unreadable(DarkroomError):
    """A file that holds no picture."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class UnknownFormat(DarkroomError):
    """A kind of picture that nobody here can read."""

    def __init__(self, magic: str) -> None:
        super().__init__(f"unknown format: {magic}")
        self.magic = magic
