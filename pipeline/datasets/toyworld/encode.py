"""Writes a clip as an mp4 of H.264 and AAC whose bytes depend on nothing but the clip."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

# AAC has no others below 48 kHz; mono is coded well at 64 kbit/s.
SAMPLE_RATES = (16000, 22050, 24000, 32000, 44100, 48000)
_SOUND_BITS = 64_000
# The default coder searches twice over and takes longer than the rest of a clip.
_AAC = {"aac_coder": "fast", "flags": "+bitexact"}

# One thread, since x264's slices and lookahead follow the number of threads; no B-frames, so that decoding order is
# showing order and the first frame is at time 0; a key frame at least once a second or so, for seeking.
_X264 = {
    "preset": "veryfast",
    "crf": "23",
    "threads": "1",
    "bf": "0",
    "g": "12",
    "x264-params": "threads=1:lookahead-threads=1:sliced-threads=0",
    "flags": "+bitexact",
}


def write(path: Path, frames: NDArray[np.uint8], sound: NDArray[np.float32], fps: float, sample_rate: int) -> None:
    """frames: (T, H, W, 3) uint8 RGB, H and W even; sound: (S,) float32 within -1 to 1. Written under a hidden name in
    the same folder and renamed, so that what stands at path is whole."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    rate = Fraction(fps).limit_denominator(1001)
    # bitexact leaves out the encoder's version; nothing else in the container varies.
    with av.open(str(unfinished), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        picture = container.add_stream("libx264", rate=rate, options=_X264)
        picture.height, picture.width = frames.shape[1:3]
        picture.pix_fmt = "yuv420p"
        voice = container.add_stream("aac", rate=sample_rate, layout="mono", options=_AAC)
        voice.bit_rate = _SOUND_BITS
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        # 16 bits, as a microphone gives them: what the last bit of a float does is nobody's business.
        samples = np.round(sound * 32767).astype(np.int16)[None]
        block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = sample_rate, 0, Fraction(1, sample_rate)
        container.mux(voice.encode(block))
        container.mux(voice.encode(None))
    unfinished.replace(path)
