"""`python -m darkroom PICTURES GALLERY`."""

import argparse
import asyncio
import logging
from pathlib import Path

from darkroom.gallery import publish_all
from darkroom.studio import Studio
from darkroom.summary import summarise


def main() -> None:
    parser = argparse.ArgumentParser(prog="darkroom", description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("gallery", type=Path)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()

    level = logging.INFO if arguments.verbose else logging.WARNING
    pictures = sorted(arguments.pictures.rglob("*.pgm"))
    with Studio(arguments.workers, level) as studio:
        thumbnails = studio.develop(pictures)
        print(summarise(studio.survey(pictures)))
    published = asyncio.run(publish_all(thumbnails, arguments.gallery))
    print(f"{len(published)} thumbnails in {arguments.gallery}")


if __name__ == "__main__":
    main()
