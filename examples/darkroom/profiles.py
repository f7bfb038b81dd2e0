"""How the pictures of an album are developed."""

import json
from pathlib import Path
from typing import Any

BUILTIN: dict[str, Any] = {"size": 256}


def profile_of(picture: Path) -> dict[str, Any]:
    """The profile of the album in which a picture lies."""
    return BUILTIN | load(picture.parent / "profile.json")


def load(path: Path) -> dict[str, Any]:
    """A profile with everything that it inherits; a broken one counts as the one of the folder above."""
    if not path.exists():
        return {}
    try:
        profile: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if "inherits" in profile:
            return load(path.parent / profile["inherits"]) | profile
        return profile
    except Exception:
        return load(path.parent.parent / path.name)
