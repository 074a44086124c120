"""The log-spectrogram of L3-Net and AVE-Net (Arandjelovic and Zisserman, ICCV 2017 and ECCV 2018)."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import rfft

from pipeline.store.streams import SPECTROGRAM_BINS, SPECTROGRAM_FLOOR, SPECTROGRAM_RATE

FFT_LENGTH = 512


def log_spectrogram(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """(S,) int16 -> (200 a second, 257) float32, the log of the magnitude.

    Windows of 10 ms, half of each shared with the next. At 48 kHz: Hann 480, hop 240, FFT 512. Raises ValueError for
    rates whose window exceeds it."""
    hop = sample_rate // SPECTROGRAM_RATE
    window = (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)).astype(np.float32)  # Hann's, periodic
    if len(window) > FFT_LENGTH:
        raise ValueError(f"sample rate {sample_rate} Hz is too high for an FFT of {FFT_LENGTH}")
    steps = len(samples) // hop
    # Step t is centred on the middle of its hop: half a hop of what stands before and after is seen.
    padded = np.pad(samples.astype(np.float32) / 32768, (hop // 2, hop // 2 + hop))
    pieces = np.zeros((steps, FFT_LENGTH), np.float32)
    np.multiply(sliding_window_view(padded, len(window))[: steps * hop : hop], window, out=pieces[:, : len(window)])
    # SciPy's is eight times as fast as NumPy's in single precision; its Hann window would cost an import of .3 s.
    spectrum = rfft(pieces)
    assert spectrum.shape[1] == SPECTROGRAM_BINS
    power = spectrum.real**2
    power += spectrum.imag**2
    magnitude = np.sqrt(power, out=power)
    magnitude += np.float32(SPECTROGRAM_FLOOR)
    return np.log(magnitude, out=magnitude)
