"""Small real files of somebody's own, made on the fly."""

from pathlib import Path

import av
import numpy as np
import soundfile
from PIL import Image


def video(
    path: Path,
    *,
    seed: int = 0,
    frames: int = 15,
    rate: int = 15,
    size: tuple[int, int] = (80, 60),
    layout: str | None = None,
    sample_rate: int = 44100,
) -> Path:
    """A disc that moves over a plain ground, H.264; layout: of the sound, mono or stereo AAC, None for none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    ground, disc = rng.integers(0, 256, (2, 3), dtype=np.uint8)
    width, height = size
    down, across = np.mgrid[:height, :width]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        sound = container.add_stream("aac", rate=sample_rate, layout=layout) if layout else None
        for number in range(frames):
            image = np.tile(ground, (height, width, 1))
            image[(across - 10 - 3 * number) ** 2 + (down - height / 2) ** 2 < 150] = disc
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
        if sound is not None:
            wave = tone(frames / rate, sample_rate, 300 + 100 * (seed % 5)).astype(np.float32)
            channels = 2 if layout == "stereo" else 1
            frame = av.AudioFrame.from_ndarray(np.stack([wave] * channels), format="fltp", layout=layout)
            frame.rate = sample_rate
            for packet in [*sound.encode(frame), *sound.encode(None)]:
                container.mux(packet)
    return path


def tone(seconds: float, sample_rate: int, hertz: float) -> np.ndarray:
    """(S,) float64 in -1 to 1."""
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sample_rate)) / sample_rate)


def sound(path: Path, *, seconds: float = 0.5, sample_rate: int = 22050, channels: int = 1) -> Path:
    """By the ending of its name: wav, flac, ogg or mp3."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.stack([tone(seconds, sample_rate, 440)] * channels, axis=1), sample_rate)
    return path


def image(path: Path, *, seed: int = 0, mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Path:
    """By the ending of its name; mode: Pillow's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path
