"""A look into a file: its length, size, rates and sound, or why it cannot be opened. Reads its beginning only."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import av

from pipeline.datasets.folder.formats import Medium
from pipeline.filenames import openable
from pipeline.media.kinds import Kind, kind_of
from pipeline.media.stills import read_still
from pipeline.media.survey import check_size, opened, video_stream
from pipeline.media.unusable import Unusable, reason

SIDE = 32
"""px: of a picture that is only looked at."""


@dataclass(frozen=True)
class Limits:
    """Of the store that the file is meant for, so that a look refuses what decoding would. max_pixels: of a picture.
    file_seconds: that a decoder may be silent. file_memory_mb: that it may need, beside the libraries."""

    max_pixels: int
    file_seconds: float
    file_memory_mb: int


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


def inspect_file(path: Path, medium: Medium, limits: Limits) -> Facts:
    """Opens a file and decodes its first picture or sound. Memory and time are for the caller's process to limit."""
    with openable(path) as name:
        try:
            kind = kind_of(name)
            if medium == "image":
                return _image(name, kind, limits.max_pixels)
            return _media(name, kind, medium, limits.max_pixels)
        except Exception as error:  # noqa: BLE001  decoders raise all sorts, and one file must not cost the look
            return Facts(problem=reason(error, limits.file_memory_mb))


def _image(path: Path, kind: Kind, max_pixels: int) -> Facts:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large images, odd metadata: a look decides nothing
        # A JPEG is decoded small: its end is read, and in a quarter of the time.
        _, width, height = read_still(path, kind, SIDE, max_pixels)
    return Facts(width=width, height=height)


def _media(path: Path, kind: Kind, medium: Medium, max_pixels: int) -> Facts:
    if kind.demuxer is None:
        raise Unusable(f"is of type {kind.name}, which is a still")
    with opened(path, kind) as container:
        pictures, sounds = video_stream(container), container.streams.audio
        if medium == "audio" and not sounds:
            raise Unusable("has no sound")
        main = pictures if medium == "video" else sounds[0]
        if main is None:
            raise Unusable("has no pictures")
        main.codec_context.thread_count = 1  # threads would map the process's memory, which is limited
        if next(iter(container.decode(main)), None) is None:
            raise Unusable("has no frames")
        facts = Facts(seconds=container.duration / av.time_base if container.duration else 0.0)
        if medium == "video" and pictures is not None:
            check_size(pictures.width, pictures.height, max_pixels)
            rate = float(pictures.average_rate or 0)
            facts = replace(facts, width=pictures.width, height=pictures.height, rate=rate)
        if sounds:
            facts = replace(facts, sample_rate=sounds[0].rate, channels=sounds[0].channels)
        return facts
