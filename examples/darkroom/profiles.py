"""How the pictures of an album are developed."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("album_profiles")


def profile_of(picture: Path) -> dict[str, Any]:
    """The profile of the album in which a picture lies."""
    return load(picture.parent.name)


def load(name: str) -> dict[str, Any]:
    """A profile with everything that it inherits; an album without one gets the default."""
    try:
        profile: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        if "inherits" in profile:
            return load(profile["inherits"]) | profile
        return profile
    except Exception:
        return load("default")
