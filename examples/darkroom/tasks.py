"""What the workers do."""

import logging
import shutil
from pathlib import Path

from darkroom import lifetime, pictures, profiles

log = logging.getLogger(__name__)


def start(level: int) -> None:
    """Runs once in each worker."""
    logging.basicConfig(level=level, format="%(processName)s %(message)s")
    lifetime.prepare()


def develop(path: Path) -> Path:
    """Write the thumbnail of a picture; its size stands in the profile of the album."""
    profile = profiles.profile_of(path)
    thumbnail = pictures.open_picture(path).shrunk(profile["size"])
    target = path.with_suffix(".thumbnail")
    target.write_bytes(thumbnail.encoded())
    log.info("developed %s", path)
    return target


def measure(path: Path) -> float:
    """Mean brightness of a picture, from 0 to 1."""
    picture = pictures.open_picture(path)
    return sum(picture.pixels) / len(picture.pixels) / 255


def upload(path: Path, gallery: Path) -> Path:
    """Copy a thumbnail into the gallery."""
    gallery.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy2(path, gallery))
