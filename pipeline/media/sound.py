"""Sound of a media file, by PyAV, and its log-spectrogram.

decord's own audio readers leak the whole track at every open.
"""

from pathlib import Path

import av
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal.windows import hann

from pipeline.store.streams import SPECTROGRAM_BINS, SPECTROGRAM_RATE

FFT_LENGTH = 512
LOG_FLOOR = 1e-5


def read_sound(path: Path, sample_rate: int) -> np.ndarray:
    """(S,) int16, mono, resampled, on the file's own clock: sample 0 is time 0, gaps before the first are silence.

    Raises whatever PyAV raises for a damaged file, ValueError for one without sound.
    """
    with av.open(str(path)) as container:
        if not container.streams.audio:
            raise ValueError("has no sound")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=sample_rate)
        pieces: list[np.ndarray] = []
        first: float | None = None
        for frame in container.decode(audio=0):
            if first is None:
                first = frame.time or 0.0
            pieces += [resampled.to_ndarray()[0] for resampled in resampler.resample(frame)]
        pieces += [resampled.to_ndarray()[0] for resampled in resampler.resample(None)]
    if not pieces:
        raise ValueError("has a sound track without samples")
    samples = np.concatenate(pieces)
    lead = round((first or 0.0) * sample_rate)
    # Encoder delay stands before time 0 and is cut; a late start is filled with silence.
    return samples[-lead:] if lead < 0 else np.concatenate([np.zeros(lead, np.int16), samples])


def log_spectrogram(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """(S,) int16 -> (200 a second, 257) float16, the log of the magnitude.

    L3-Net's and AVE-Net's input (Arandjelovic and Zisserman, ICCV 2017 and ECCV 2018): windows of 10 ms, half of each
    shared with the next. At 48 kHz: Hann 480, hop 240, FFT 512. Raises ValueError for rates whose window exceeds it."""
    hop = sample_rate // SPECTROGRAM_RATE
    window = hann(2 * hop, sym=False).astype(np.float32)
    steps = len(samples) // hop
    pad = (FFT_LENGTH - hop) // 2
    padded = np.pad(samples.astype(np.float32) / 32768, (pad, pad + hop))
    if len(window) > FFT_LENGTH:
        raise ValueError(f"sample rate {sample_rate} Hz is too high for an FFT of {FFT_LENGTH}")
    margin = (FFT_LENGTH - len(window)) // 2
    pieces = sliding_window_view(padded, FFT_LENGTH)[: steps * hop : hop]
    spectrum = np.fft.rfft(pieces[:, margin : margin + len(window)] * window, n=FFT_LENGTH)
    assert spectrum.shape[1] == SPECTROGRAM_BINS
    return np.log(np.abs(spectrum) + LOG_FLOOR).astype(np.float16)
