"""A contact sheet: a row a clip, some of its frames from left to right and the log-spectrogram of its sound beside."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from pipeline.figures.strip import FAINT, FONT, Strip, caption

# Pixels, which at this resolution are also the unit of the layout.
_DPI = 100
_FRAME, _GAP, _MARGIN = 96, 4, 14
_CAPTION, _SPECTROGRAM, _AXIS = 124, 210, 30
_SHOWN = 8  # frames a row
_TOP_HERTZ = 12_000
# Few shades: they leave the palette to the frames and keep the file small; 6 dB is as fine as an eye reads.
_SHADES = colormaps["magma"].resampled(12)


def contact_sheet(clips: Sequence[Strip], path: Path) -> None:
    """Writes a PNG. Raises ValueError without clips."""
    if not clips:
        raise ValueError(f"{path}: a contact sheet needs at least one clip")
    frames_left = _MARGIN + _CAPTION
    sound_left = frames_left + _SHOWN * (_FRAME + _GAP) + 2 * _GAP
    width = sound_left + _SPECTROGRAM + _MARGIN
    height = _MARGIN + len(clips) * (_FRAME + _GAP) + _AXIS
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)

    def place(left: float, top: float, across: float) -> tuple[float, float, float, float]:
        return left / width, 1 - (top + _FRAME) / height, across / width, _FRAME / height

    for row, clip in enumerate(clips):
        top = _MARGIN + row * (_FRAME + _GAP)
        caption(figure, clip, _MARGIN / width, 1 - (top + _FRAME / 2) / height, 9 / height)
        for column, index in enumerate(np.linspace(0, len(clip.frames) - 1, _SHOWN).round().astype(int)):
            axes = figure.add_axes(place(frames_left + column * (_FRAME + _GAP), top, _FRAME))
            axes.imshow(clip.frames[index], interpolation="lanczos", aspect="equal")
            axes.set_axis_off()
        axes = figure.add_axes(place(sound_left, top, _SPECTROGRAM))
        decibels, seconds, hertz = log_spectrogram(clip.sound, clip.sample_rate)
        extent = (0, seconds, 0, hertz / 1000)
        axes.imshow(decibels, cmap=_SHADES, vmin=-70, vmax=0, extent=extent, origin="lower", aspect="auto")
        if row < len(clips) - 1:
            axes.set_xticks([])
        else:
            axes.set_xlabel("seconds", fontsize=7, color=FAINT, labelpad=1)
        axes.set_yticks([0, hertz / 2000], ["", f"{hertz / 2000:g} kHz"], va="center", family=FONT)
        axes.tick_params(axis="y", direction="in", length=3, pad=-4, labelsize=6, color="white", labelcolor="white")
        for label in axes.get_yticklabels():
            label.set_horizontalalignment("left")
        axes.tick_params(axis="x", length=2, labelsize=7, color=FAINT, labelcolor=FAINT)
        axes.spines[:].set_visible(False)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
    # A palette makes a quarter of the size. It is found on a ninth of the pixels, and so that it covers the range, or
    # backgrounds would take it all. Pillow saves, since matplotlib would write its version into the file.
    palette = Image.fromarray(pixels[1::3, 1::3].copy()).quantize(160, method=Image.Quantize.MAXCOVERAGE, kmeans=2)
    sheet = Image.fromarray(pixels.copy()).quantize(palette=palette, dither=Image.Dither.NONE)
    sheet.save(path, format="PNG", optimize=True)


def log_spectrogram(sound: NDArray[np.floating], sample_rate: int) -> tuple[NDArray[np.float32], float, float]:
    """Decibels below the clip's peak (F, N), the seconds and the hertz that they span. Hann windows of about 21 ms, 100
    a second, up to 12 kHz."""
    length, hop = round(0.0213 * sample_rate), max(1, round(sample_rate / 200))
    padded = np.pad(np.asarray(sound, np.float32), length // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    magnitude = np.abs(np.fft.rfft(windows * np.hanning(length).astype(np.float32), axis=1)).T
    hertz = min(_TOP_HERTZ, sample_rate / 2)
    magnitude = magnitude[: max(2, int(len(magnitude) * hertz / (sample_rate / 2)))]
    # Two steps each way, so that a picture of it is not mostly the grain of the noise.
    rows, columns = len(magnitude) // 2, magnitude.shape[1] // 2
    magnitude = magnitude[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).mean(axis=(1, 3))
    decibels = 20 * np.log10(np.maximum(magnitude, 1e-7) / max(float(magnitude.max()), 1e-6))
    return decibels.astype(np.float32), len(sound) / sample_rate, hertz
