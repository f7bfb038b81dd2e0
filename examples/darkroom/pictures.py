"""Grey pictures in the portable graymap format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from darkroom.errors import UnknownFormat, Unreadable
from darkroom.lifetime import in_time

SECONDS = 20


@dataclass(frozen=True)
class Picture:
    """`pixels` are the rows from top to bottom, a byte each."""

    width: int
    height: int
    pixels: bytes

    def shrunk(self, size: int) -> Picture:
        """The picture with every n-th pixel, so that its longer side is at most `size`."""
        step = max(1, -(-max(self.width, self.height) // size))
        rows = [self.pixels[y * self.width : (y + 1) * self.width : step] for y in range(0, self.height, step)]
        return Picture(len(rows[0]), len(rows), b"".join(rows))

    def encoded(self) -> bytes:
        return b"P5\n%d %d\n255\n" % (self.width, self.height) + self.pixels


def open_picture(path: Path) -> Picture:
    """The picture in a file.  Raises Unreadable, UnknownFormat or TooSlow."""
    return in_time(SECONDS, decode, path)


def decode(path: Path) -> Picture:
    data = path.read_bytes()
    if not data.startswith(b"P5"):
        raise UnknownFormat(data[:2].decode("ascii", "replace"))
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
    if header is None:
        raise Unreadable(path, "the header is cut off")
    width, height = int(header[1]), int(header[2])
    pixels = data[header.end() :]
    if len(pixels) < width * height:
        raise Unreadable(path, f"{width * height - len(pixels)} pixels are missing")
    return Picture(width, height, pixels[: width * height])
