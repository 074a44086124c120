"""What a container holds, by reading all of its packets once, held against what its header says."""

from array import array
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from pipeline.media.kinds import Kind
from pipeline.media.unusable import Unusable

MICROSECONDS = 1_000_000
TICK = 0.002  # seconds: Matroska's clock, rounded
SLACK = 0.1  # seconds by which headers were seen to exceed what is there: a frame of sound, rounding
KNOWN_BY_HEADER = {"analyzeduration": "0", "probesize": "32", "fpsprobesize": "0"}
"""Options for containers whose header says all: FFmpeg else decodes some frames to find out, in a third of the time of
a short clip."""
WITHOUT_DECODERS = {"codec_whitelist": "none"}
"""Nor need it start each stream's decoder for that, which takes four times as long as all else. Decoding is allowed."""
WITHOUT_EDITS = KNOWN_BY_HEADER | WITHOUT_DECODERS | {"ignore_editlist": "1"}
BEFORE_ALL = -(2**40)  # ticks
UNTOLD = ("mpegts", "mpeg", "aac", "mp3")
"""Containers whose header does not tell their length: FFmpeg estimates it."""


@dataclass(frozen=True)
class Pictures:
    """A video stream. times: (N,) seconds, ascending, at which its frames are shown, on the container's own clock;
    end: when the last one goes."""

    times: np.ndarray
    end: float


@dataclass(frozen=True)
class Survey:
    """pictures: of the first video stream, if there is one; has_sound: whether there is an audio stream."""

    pictures: Pictures | None
    has_sound: bool


def opened(path: Path, kind: Kind) -> InputContainer:
    """Raises what PyAV raises for a file that is no such container."""
    if kind.demuxer not in ("mov", "matroska"):
        return _opened(path, kind, {})
    container = _opened(path, kind, KNOWN_BY_HEADER | WITHOUT_DECODERS)
    known = [stream.codec_context.width for stream in container.streams.video]
    known += [stream.codec_context.sample_rate for stream in container.streams.audio]
    if all(known):
        return container
    # The size of MPEG-4 pictures is told by their decoder.
    container.close()
    return _opened(path, kind, KNOWN_BY_HEADER)


def _opened(path: Path, kind: Kind, options: dict[str, str]) -> InputContainer:
    return av.open(str(path), format=kind.demuxer, options=options, metadata_errors="ignore")


def rewound(container: InputContainer, kind: Kind) -> InputContainer:
    """At its first packet again: the same one where it has an index that leads there, else one that is opened anew."""
    if kind.demuxer != "mov":
        container.close()
        return opened(Path(container.name), kind)
    container.seek(BEFORE_ALL, stream=video_stream(container))
    return container


def video_stream(container: InputContainer) -> VideoStream | None:
    """The first that is no cover of a piece of music."""
    shown = (one for one in container.streams.video if not one.disposition & av.stream.Disposition.attached_pic)
    return next(shown, None)


def survey(container: InputContainer, kind: Kind, max_pixels: int) -> Survey:
    """Reads the container to its end. Raises Unusable where the file holds less than its header says, or pictures
    larger than `max_pixels`; whatever PyAV raises for one that is damaged."""
    video = video_stream(container)
    if video is not None:
        check_size(video.codec_context.width, video.codec_context.height, max_pixels)
    # Fractions are slow, and lists of floats large: a film of some hours has a million packets.
    seconds = {stream.index: float(stream.time_base or 0) for stream in container.streams}
    times = {stream.index: array("d") for stream in container.streams}
    shown = -1 if video is None else video.index
    packets, end, shown_until = 0, -np.inf, -np.inf
    # MP4's header counts the frames, and its sound is held against it when it is decoded: no more need be read.
    counted = kind.demuxer == "mov" and video is not None and video.frames > 0
    for packet in container.demux(video) if counted and video is not None else container.demux():
        if packet.size == 0:
            continue
        if packet.is_corrupt:
            raise Unusable("holds packets that are damaged or cut off")
        pts, number = packet.pts, packet.stream_index
        ticks = packet.dts if pts is None else pts
        packets += number == shown
        if ticks is None:
            continue
        stop = (ticks + (packet.duration or 0)) * seconds[number]
        end = max(end, stop)
        if packet.is_discard:
            continue
        times[number].append(ticks * seconds[number])
        if number == shown:
            shown_until = max(shown_until, stop)
    ordered = {number: np.sort(np.frombuffer(of_stream)) for number, of_stream in times.items()}
    # AVI tells ticks of its clock, see `_check_end`; other containers tell nothing, or not reliably.
    if video is not None and kind.demuxer == "mov" and video.frames and packets != video.frames:
        _check_count(container, video)
    intervals = {number: float(np.diff(of_stream).max(initial=0)) for number, of_stream in ordered.items()}
    if not counted:
        _check_length(container, kind, end, max(intervals.values(), default=0.0))
    for stream in (video, *container.streams.audio):
        if stream is not None and len(ordered[stream.index]):
            _check_end(stream, kind, float(ordered[stream.index][-1]), intervals[stream.index])
    pictures = None
    if video is not None and len(ordered[shown]):
        last = float(ordered[shown][-1]) + _median(np.diff(ordered[shown]))
        pictures = Pictures(ordered[shown], max(shown_until, last))
    return Survey(pictures, bool(container.streams.audio))


def _median(steps: np.ndarray) -> float:
    """NumPy's, which takes as long as reading the packets of a short clip; 0 of none."""
    ascending, count = np.sort(steps), len(steps)
    return float(ascending[(count - 1) // 2] + ascending[count // 2]) / 2 if count else 0.0


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises Unusable for pictures of no or too many pixels."""
    if width < 1 or height < 1:
        raise Unusable(f"has pictures of {width} x {height} px")
    if width * height > max_pixels:
        raise Unusable(f"has pictures of {width} x {height} px, more than the {max_pixels} of store.max_pixels")


def _check_count(container: InputContainer, video: VideoStream) -> None:
    """Of MP4, with the groups of pictures that its edit list leaves out."""
    with av.open(container.name, format="mov", options=WITHOUT_EDITS, metadata_errors="ignore") as whole:
        packets = sum(packet.size > 0 for packet in whole.demux(whole.streams[video.index]))
    if packets != video.frames:
        raise Unusable(f"holds {packets} of the {video.frames} frames that its header says")


def _check_length(container: InputContainer, kind: Kind, end: float, interval: float) -> None:
    """interval: the longest between two frames; the last one's length is not told by every container."""
    if container.duration is None or kind.demuxer in UNTOLD:
        return
    told = ((container.start_time or 0) + container.duration) / MICROSECONDS
    if end < told - SLACK - interval:
        raise Unusable(f"ends after {max(end, 0):.2f} of the {told:.2f} s that its header says")


def _check_end(stream: VideoStream | AudioStream, kind: Kind, last: float, interval: float) -> None:
    """last: when its last packet begins; interval: the longest between two of them, since its length is not told."""
    told = stream.metadata.get("DURATION", "") if kind.demuxer == "matroska" else ""
    try:
        hours, minutes, seconds = (float(part) for part in told.split(":"))
        length = 3600 * hours + 60 * minutes + seconds
    except ValueError:
        if kind.demuxer != "avi" or not isinstance(stream, VideoStream) or stream.time_base is None:
            return
        length = float(stream.frames * stream.time_base)
    # Of sound the encoder's delay is counted, which is not presented: one to three packets.
    spare = 1.5 if isinstance(stream, VideoStream) else 4
    if last + spare * interval + TICK < length:
        raise Unusable(
            f"has a stream that ends before {last + interval:.2f} of the {length:.2f} s that its header says"
        )
