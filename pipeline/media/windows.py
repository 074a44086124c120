"""A source file as windows of the store's streams, on one clock.

Time 0 is when the first of the streams begins that are read. What a window holds of each stream covers the same
seconds: sound that begins late, has gaps or ends before the pictures is filled with silence.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.media.flow import flow, motion
from pipeline.media.kinds import Kind, kind_of
from pipeline.media.sound import Sound
from pipeline.media.spectrogram import log_spectrogram
from pipeline.media.stills import read_still
from pipeline.media.survey import opened, survey
from pipeline.media.unusable import Unusable
from pipeline.media.video import Video, square
from pipeline.store.streams import PICTURES, SOUNDS, stream, streams_of

Window = tuple[dict[str, Any], dict[str, np.ndarray]]


class Kept(Protocol):
    """What is kept of a file: `pipeline.parameters.models.Store` says what each means."""

    side: int
    window_seconds: float
    streams: list[str]
    sample_rate: int
    max_pixels: int


def windows(path: Path, modality: str, store: Kept) -> Iterator[Window]:
    """Facts (start, end, frame_times, width, height) and streams of each window of `window_seconds`, of which the last
    one may be shorter. Raises Unusable, or whatever a decoder raises, before or between any of them."""
    kind = kind_of(path)
    wanted = streams_of(modality, store.streams)
    if modality == "image":
        yield _still(path, kind, wanted, store)
        return
    if kind.demuxer is None:
        raise Unusable(f"is of type {kind.name}, which is a still")
    container = opened(path, kind)
    found = survey(container, kind, store.max_pixels)
    video = sound = None
    if set(wanted) & set(PICTURES):
        if found.pictures is None:
            raise Unusable("has no pictures")
        video = Video(container, kind, found.pictures, store.max_pixels)
    if set(wanted) & set(SOUNDS):
        if not found.has_sound:
            raise Unusable("has no sound")
        sound = Sound(path, kind, store.sample_rate)
    if video is not None:
        yield from _of_video(video, sound, wanted, store)
    elif sound is not None:
        yield from _of_sound(sound, wanted, store)


def _still(path: Path, kind: Kind, wanted: list[str], store: Kept) -> Window:
    image, width, height = read_still(path, kind, store.side, store.max_pixels)
    facts = {"start": 0.0, "end": 0.0, "frame_times": [0.0], "width": width, "height": height}
    return facts, _streams(square(image, store.side)[None], np.zeros(0, np.int16), wanted, store)


def _of_video(video: Video, sound: Sound | None, wanted: list[str], store: Kept) -> Iterator[Window]:
    zero = float(video.times[0]) if sound is None else min(float(video.times[0]), sound.start)
    times, length = video.times - zero, store.window_seconds
    numbers = np.floor(times / length).astype(np.int64)
    silence = np.zeros(0, np.int16)
    for number in np.unique(numbers):
        inside, start = np.flatnonzero(numbers == number), float(number * length)
        samples = silence if sound is None else sound.window(zero + start, zero + start + length, video.end)
        frames = video.frames(inside, store.side)
        facts = {
            "start": start,
            "end": float(times[inside[-1]]),
            "frame_times": times[inside].tolist(),
            "width": video.width,
            "height": video.height,
        }
        yield facts, _streams(frames, samples, wanted, store)
    # What follows the last picture is read too: it says whether the file is whole.
    while sound is not None and (later := sound.next_start()) is not None:
        sound.window(later, later + length, later)


def _of_sound(sound: Sound, wanted: list[str], store: Kept) -> Iterator[Window]:
    zero, length = sound.start, store.window_seconds
    number = 0
    while (following := sound.next_start()) is not None:
        number = max(number, int((following - zero) // length))
        start = number * length
        samples = sound.window(zero + start, zero + start + length, zero + start)
        number += 1
        if not len(samples):
            continue
        facts = {
            "start": start,
            "end": start + len(samples) / store.sample_rate,
            "frame_times": [],
            "width": None,
            "height": None,
        }
        frames = stream("frames", store.side, store.sample_rate).empty()
        yield facts, _streams(frames, samples, wanted, store)


def _streams(frames: np.ndarray, samples: np.ndarray, wanted: list[str], store: Kept) -> dict[str, np.ndarray]:
    """frames: (T, side, side, 3) uint8; samples: (S,) int16. Of a stream that is not wanted, no step."""
    kept = {name: stream(name, store.side, store.sample_rate) for name in store.streams}
    made = {name: one.empty() for name, one in kept.items()}
    field = flow(frames) if {"flow", "motion"} & set(wanted) else None
    for name in wanted:
        match name:
            case "frames":
                made[name] = frames
            case "sound":
                made[name] = samples
            case "spectrogram":
                made[name] = kept[name].quantised(log_spectrogram(samples, store.sample_rate))
            case "flow" if field is not None:
                made[name] = kept[name].quantised(field)
            case "motion" if field is not None:
                made[name] = motion(field)
    return made
