"""Small real files with a flash and a click at one known time, encoded by PyAV."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FLASH = 1.0  # seconds
SECONDS = 2.0
FPS = 25
EVEN = np.arange(round(SECONDS * FPS)) / FPS
# Frames that are shown for 40 to 110 ms.
UNEVEN = np.round(np.concatenate([np.arange(0, 0.8, 0.1), np.arange(0.8, 1.2, 0.04), np.arange(1.2, 2, 0.11)]), 3)
SAMPLE_FORMATS = {"libopus": "s16", "flac": "s16", "pcm_s16le": "s16"}


def film(
    path: Path,
    video: str | None = "libx264",
    audio: str | None = "aac",
    times: np.ndarray = EVEN,
    sound_from: float = 0.0,
    gap: tuple[float, float] | None = None,
    rate: int = 48000,
    layout: str = "mono",
    size: int | tuple[int, int] = 64,
    seconds: float = SECONDS,
    options: dict[str, str] | None = None,
    group: int | None = None,
    muxer: str | None = None,
) -> Path:
    """video, audio: codecs, or None for none. times: of the frames, seconds. sound_from: when sound begins. gap: a
    stretch of which no sound is written. size: width and height, px. options: of the muxer, which the file's name
    tells, if `muxer` does not. group: frames from one that stands alone to the next; None leaves it to the codec."""
    with av.open(str(path), "w", format=muxer, options=options or {}) as container:
        packets = []
        if video is not None:
            pictures = container.add_stream(video, rate=FPS)
            width, height = size if isinstance(size, tuple) else (size, size)
            pictures.width, pictures.height = width, height
            pictures.pix_fmt = "yuv420p"
            if group is not None:
                pictures.codec_context.gop_size = group
            pictures.codec_context.time_base = pictures.time_base = Fraction(1, 1000)
        if audio is not None:
            sound = container.add_stream(audio, rate=rate)
            sound.layout = layout
        if video is not None:
            for frame in _frames(times, width, height):
                packets += pictures.encode(frame)
            packets += pictures.encode(None)
        if audio is not None:
            form = SAMPLE_FORMATS.get(audio, "fltp")
            for frame in _sound(form, layout, rate, sound_from, gap, seconds):
                packets += sound.encode(frame)
            packets += sound.encode(None)
        packets.sort(key=lambda packet: float((packet.dts or 0) * packet.time_base))
        container.mux(packets)
    return path


def _frames(times: np.ndarray, width: int, height: int) -> list[av.VideoFrame]:
    """Grey, with a bar that moves on by three pixels a frame; white while FLASH is in the frame's time."""
    lit = int(np.searchsorted(times, FLASH + 1e-6)) - 1
    made = []
    for number, time in enumerate(times):
        image = np.full((height, width, 3), 235 if number == lit else 30, np.uint8)
        image[:, (3 * number) % width] = 128
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
        made.append(frame)
    return made


def _sound(
    form: str, layout: str, rate: int, start: float, gap: tuple[float, float] | None, seconds: float
) -> list[av.AudioFrame]:
    """A quiet hum, and a click of 2 ms that begins at FLASH."""
    samples = 0.02 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)
    click = round(0.002 * rate)
    if seconds > FLASH:
        samples[round(FLASH * rate) :][:click] += 0.9 * np.sin(np.pi * np.arange(click) / click)
    made = []
    for first in range(round(start * rate), len(samples), 960):
        if gap is not None and gap[0] <= first / rate < gap[1]:
            continue
        channels = 2 if layout == "stereo" else 1
        piece = np.repeat(samples[None, first : first + 960], channels, axis=0)
        if form == "s16":
            piece = np.round(piece.T.reshape(1, -1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(piece.astype(np.int16 if form == "s16" else np.float32), form, layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
        made.append(frame)
    return made


def with_edit_list(path: Path, skipped: float, left_off: float = 0.0) -> Path:
    """An MP4 file whose first `skipped` and last `left_off` seconds are cut by its edit lists, not by its data."""
    content = bytearray(path.read_bytes())
    place = -1
    while (place := content.find(b"elst", place + 1)) > 0:
        # The track's own clock is told after its edit list.
        clock = content.find(b"mdhd", place)
        timescale = struct.unpack(">I", content[clock + 16 : clock + 20])[0]
        length, time, speed = struct.unpack(">IiI", content[place + 12 : place + 24])
        length -= round(1000 * (skipped + left_off))
        changed = struct.pack(">IiI", length, time + round(skipped * timescale), speed)
        content[place + 12 : place + 24] = changed
    path.write_bytes(content)
    return path


def turned(path: Path) -> Path:
    """An MP4 file of pictures alone whose header says that they are to be shown turned by a quarter, clockwise."""
    content = bytearray(path.read_bytes())
    matrix = content.find(b"tkhd") + 44
    content[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


def with_told_size(path: Path, size: int) -> Path:
    """An MP4 file of H.264 whose header says that its pictures are `size` px wide and high, which they are not."""
    content = bytearray(path.read_bytes())
    place = content.find(b"avc1", content.find(b"stsd")) + 28
    content[place : place + 4] = struct.pack(">HH", size, size)
    path.write_bytes(content)
    return path


def with_empty_picture(path: Path, number: int) -> Path:
    """A film of MPEG-4 pictures of which one is there as a packet, but holds none."""
    # A P picture of which nothing is coded: type, no second passed, a mark, the time in five bits, a mark, and the end.
    bits = f"0101{number:05b}10" + "01111"
    nothing = b"\0\0\1\xb6" + int(bits, 2).to_bytes(len(bits) // 8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width = stream.height = 64
        packets = []
        for place, frame in enumerate(_frames(EVEN[:20], 64, 64)):
            frame.pts, frame.time_base = place, Fraction(1, FPS)
            packets += stream.encode(frame.reformat(format="yuv420p"))
        for place, packet in enumerate(packets + stream.encode(None)):
            if place == number:
                empty = av.Packet(nothing)
                empty.pts, empty.dts, empty.duration = packet.pts, packet.dts, packet.duration
                empty.time_base, empty.stream = packet.time_base, stream
                packet = empty
            container.mux(packet)
    return path
