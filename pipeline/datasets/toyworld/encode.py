"""Writes a clip as an mp4 of H.264 and AAC whose bytes depend on nothing but the clip."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

# AAC has no others below 48 kHz.
SAMPLE_RATES = (16000, 22050, 24000, 32000, 44100, 48000)
# The default coder searches twice over and takes longer than the rest of a clip. A fixed quality, 1 in FFmpeg's scale,
# is quicker than a fixed rate, and better at the same size: about 64 kbit/s.
# Noise is not left to the decoder to make up (PNS).
_AAC = {
    "aac_coder": "fast",
    "aac_tns": "0",
    "aac_pns": "0",
    "flags": "+bitexact+qscale",
    "global_quality": "118",
    # Hertz, where most encoders stop at such a rate.
    "cutoff": "16000",
}

# One thread, since x264's slices and lookahead follow the number of threads. Every frame is a key frame: what is
# predicted from the frame before grows worse up to the next key frame, which would tell the direction of time and where
# in a group of pictures a frame stands; it costs half as much again in size, and less time. So would a rate control,
# which is kinder to the first frame: all are quantised alike.
_X264 = {
    "preset": "superfast",
    "qp": "26",
    "threads": "1",
    "g": "1",
    "x264-params": "threads=1:lookahead-threads=1:sliced-threads=0",
    "flags": "+bitexact",
}


def write_clip(path: Path, frames: NDArray[np.uint8], sound: NDArray[np.float32], fps: float, sample_rate: int) -> None:
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
        reformatter = VideoReformatter()
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            # Without a number, FFmpeg starts threads for each frame.
            frame = reformatter.reformat(frame, format="yuv420p", threads=1)
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
