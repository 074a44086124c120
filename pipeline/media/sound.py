"""Sound of a media file, by PyAV, on the same clock as its pictures."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer

from pipeline.media.kinds import HEAD, Kind, after_tag, kind_of
from pipeline.media.survey import opened
from pipeline.media.unusable import Unusable

JUMP = 0.02  # seconds; a frame that is further from where the one before ended starts anew. Matroska rounds to 1 ms.
EXACT = ("wav", "flac", "aiff")  # containers that tell the number of samples
TOLD = ("mov", *EXACT)  # and those that tell the length of their sound, to a frame of the codec
TOGETHER = 32  # frames of a codec that are rounded in one go: NumPy's calls take longer than a frame's samples
FRAME = 4096  # samples that a frame of a codec has at most
XING = (b"Xing", b"Info")  # that mark an MP3 file's first frame where it tells how many follow


class Sound:
    """A file's first audio stream, decoded forwards in the memory of one window.

    start: seconds on the container's clock at which the first sample sounds that is to be heard: encoder delay (AAC and
    Opus priming) is dropped by FFmpeg where the container tells it, by edit list or otherwise.
    """

    def __init__(self, path: Path, kind: Kind, sample_rate: int) -> None:
        """Raises whatever PyAV raises for a damaged file, Unusable for one without sound."""
        self.sample_rate = sample_rate
        self._container = opened(path, kind)
        if not self._container.streams.audio:
            raise Unusable("has no sound")
        self._told = _told_samples(path, kind, self._container)
        self._frames = self._decoded()
        first = next(self._frames, None)
        if first is None:
            raise Unusable("has a sound track without samples")
        self.start = first.time or 0.0
        self._pieces = self._resampled(first)
        self._waiting: list[tuple[int, np.ndarray]] = []

    def _decoded(self) -> Iterator[AudioFrame]:
        """Frames in order; at the end, raises Unusable where there were fewer than the header says."""
        heard = 0
        for frame in self._container.decode(audio=0):
            heard += frame.samples
            if frame.samples:
                yield frame
        if self._told is not None and heard < self._told:
            raise Unusable(f"holds {heard} of the {self._told} samples that its header says")
        self._container.close()

    def _resampled(self, first: AudioFrame) -> Iterator[tuple[int, np.ndarray]]:
        """Pieces of (S,) int16, mono, with the place of each on the container's clock, in samples."""
        frame: AudioFrame | None = first
        resampler, place, expected, was = None, 0, 0.0, None
        plain: list[np.ndarray] = []
        while frame is not None:
            form = (frame.format.name, frame.layout.name, frame.sample_rate)
            time = expected if frame.time is None else frame.time
            if resampler is None or form != was or abs(time - expected) > JUMP:
                for samples in (*_rounded(plain), *_flushed(resampler)):
                    yield place, samples
                    place += len(samples)
                resampler, plain = av.AudioResampler(format="s16", layout="mono", rate=self.sample_rate), []
                place, expected, was = round(time * self.sample_rate), time, form
            expected += frame.samples / frame.sample_rate
            made: list[np.ndarray] = []
            if form == ("fltp", "mono", self.sample_rate):
                # Only its numbers change: four times as fast as by the resampler, and equal.
                plain.append(np.frombuffer(frame.planes[0], np.float32, frame.samples))  # type: ignore[call-overload]
                if len(plain) == TOGETHER:
                    made, plain = _rounded(plain), []
            else:
                made = [one.to_ndarray()[0] for one in resampler.resample(frame)]
            for samples in made:
                yield place, samples
                place += len(samples)
            frame = next(self._frames, None)
        for samples in (*_rounded(plain), *_flushed(resampler)):
            yield place, samples
            place += len(samples)

    def next_start(self) -> float | None:
        """Where the next sample is that was not read yet, in seconds of the container's clock; None at the end."""
        if not self._waiting:
            self._waiting += [piece for piece in [next(self._pieces, None)] if piece is not None]
        return self._waiting[0][0] / self.sample_rate if self._waiting else None

    def window(self, start: float, end: float, at_least: float) -> np.ndarray:
        """(S,) int16 from `start` to `end`, in seconds of the container's clock, gaps filled with silence. Where
        sound ends, silence follows until `at_least`."""
        first, last = round(start * self.sample_rate), round(end * self.sample_rate)
        made = np.zeros(last - first, np.int16)
        filled = max(0, min(last, round(at_least * self.sample_rate)) - first)
        while self.next_start() is not None:
            place, samples = self._waiting.pop(0)
            if place >= last:
                self._waiting.insert(0, (place, samples))
                break
            inside = samples[max(0, first - place) : last - place]
            at = max(0, place - first)
            made[at : at + len(inside)] = inside
            if len(inside):
                filled = max(filled, at + len(inside))
            if place + len(samples) > last:
                self._waiting.insert(0, (last, samples[last - place :]))
                break
        return made[:filled] if self.next_start() is None else made


def _rounded(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Frames of float32 within -1 to 1 -> one piece of int16, none of none."""
    if not frames:
        return []
    scaled = np.concatenate(frames)
    scaled *= 32768
    np.rint(scaled, out=scaled)
    return [np.clip(scaled, -32768, 32767, out=scaled).astype(np.int16)]


def _flushed(resampler: av.AudioResampler | None) -> list[np.ndarray]:
    return [] if resampler is None else [made.to_ndarray()[0] for made in resampler.resample(None)]


def _told_samples(path: Path, kind: Kind, container: InputContainer) -> int | None:
    """Samples that the header promises at least, None where it does not say."""
    if kind.demuxer == "mp3":
        return _told_by_mp3(path, container.streams.audio[0].codec_context.sample_rate)
    stream = container.streams.audio[0]
    if kind.demuxer not in TOLD or not stream.duration or stream.time_base is None:
        return None
    told = round(float(stream.duration * stream.time_base) * stream.codec_context.sample_rate)
    return told if kind.demuxer in EXACT else max(1, told - FRAME)


def _told_by_mp3(path: Path, sample_rate: int) -> int | None:
    """By its first frame, which may hold their number: FFmpeg believes it only if it fits the file's size."""
    with path.open("rb") as file:
        file.seek(after_tag(file.read(HEAD)))
        head = file.read(HEAD)
    place = max(head.find(mark) for mark in XING)
    if place < 0 or not head[place + 7] & 1:
        return None
    frames = int.from_bytes(head[place + 8 : place + 12])
    return max(1, frames * (1152 if sample_rate >= 32_000 else 576) - FRAME)


def read_sound(path: Path, sample_rate: int) -> np.ndarray:
    """(S,) int16, mono, resampled: all of it, sample 0 at time 0 of the container's clock. Raises as `Sound` does."""
    sound = Sound(path, kind_of(path), sample_rate)
    pieces, start = [], 0.0
    while sound.next_start() is not None:
        pieces.append(sound.window(start, start + 10, start))
        start += 10
    return np.concatenate(pieces)
