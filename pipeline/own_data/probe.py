"""A look into a file: its length, size, rates and sound, or why it cannot be opened. Reads its beginning only."""

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import av
from av.error import FFmpegError
from PIL import Image

from pipeline.datasets.folder.formats import Medium

PIXELS = 100_000_000
"""An image beyond this is not decoded for a look."""


@dataclass(frozen=True)
class Facts:
    """seconds, width, height (px), rate (frames a second), sample_rate (Hz), channels: 0 where there is none, or where
    the file does not say. problem: why the file cannot be used, else None."""

    seconds: float = 0.0
    width: int = 0
    height: int = 0
    rate: float = 0.0
    sample_rate: int = 0
    channels: int = 0
    problem: str | None = None


def probe(path: Path, medium: Medium) -> Facts:
    """Opens a file and decodes its first picture or sound."""
    try:
        return _image(path) if medium == "image" else _media(path, medium)
    except (OSError, FFmpegError, ValueError, SyntaxError, RuntimeError, EOFError, MemoryError, OverflowError) as error:
        lines = str(error).strip().splitlines()
        reason = error.strerror if isinstance(error, FFmpegError) else lines[0] if lines else type(error).__name__
        return Facts(problem=f"cannot be opened: {str(reason).replace(str(path), path.name)}")


def _image(path: Path) -> Facts:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large images, odd metadata: a look decides nothing
        Image.MAX_IMAGE_PIXELS = None
        with Image.open(path) as image:
            width, height = image.size
            if width * height <= PIXELS:
                image.draft("RGB", (64, 64))  # a JPEG is decoded small: its end is read, and in a quarter of the time
                image.load()
    return Facts(width=width, height=height)


def _media(path: Path, medium: Medium) -> Facts:
    with av.open(str(path)) as container:
        pictures = [stream for stream in container.streams.video if not stream.disposition & 0x400]  # 0x400: cover art
        sounds = container.streams.audio
        if medium == "video" and not pictures:
            return Facts(problem="has no pictures")
        if medium == "audio" and not sounds:
            return Facts(problem="has no sound")
        main = pictures[0] if medium == "video" else sounds[0]
        if next(iter(container.decode(main)), None) is None:
            return Facts(problem="has no frames")
        seconds = container.duration / av.time_base if container.duration else 0.0
        facts = Facts(seconds=seconds)
        if medium == "video":
            rate = float(pictures[0].average_rate or 0)
            facts = Facts(seconds=seconds, width=pictures[0].width, height=pictures[0].height, rate=rate)
        if sounds:
            facts = Facts(facts.seconds, facts.width, facts.height, facts.rate, sounds[0].rate, sounds[0].channels)
        return facts


def probe_all(paths: Sequence[Path], medium: Medium, workers: int) -> Iterator[Facts]:
    """In order. A file that brings its decoder down costs itself, and one more process."""
    waiting = list(paths)
    while waiting:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            futures = [pool.submit(probe, path, medium) for path in waiting]
            done = 0
            for future in futures:
                if (facts := _result(future)) is None:
                    break
                yield facts
                done += 1
        waiting = waiting[done:]
        if waiting:
            # Which of those in flight it was is not known: the first of them is tried alone.
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                yield _result(pool.submit(probe, waiting[0], medium)) or Facts(problem="brings its decoder down")
            waiting = waiting[1:]


def _result(future: Future[Facts]) -> Facts | None:
    try:
        return future.result()
    except BrokenProcessPool:
        return None
