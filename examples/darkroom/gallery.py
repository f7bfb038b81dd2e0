"""Publishing thumbnails, several at a time."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from darkroom import tasks


class Gallery:
    """Uploads from the processes of an executor."""

    def __init__(self, executor: ProcessPoolExecutor, folder: Path) -> None:
        self.executor = executor
        self.folder = folder

    async def publish(self, thumbnail: Path) -> Path:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, tasks.upload, thumbnail, self.folder)


async def publish_all(thumbnails: list[Path], folder: Path) -> list[Path]:
    """Where the thumbnails lie in the gallery."""
    with ProcessPoolExecutor() as executor:
        gallery = Gallery(executor, folder)
        uploads = [asyncio.create_task(gallery.publish(thumbnail)) for thumbnail in thumbnails]
        return await asyncio.gather(*uploads)
