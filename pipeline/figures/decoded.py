"""What was decoded, to be looked at: a sheet of windows as the store has them, and histograms of their files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.figures.panels import fitted, save, spectrogram
from pipeline.figures.strip import FONT
from pipeline.filenames import from_text, to_text
from pipeline.store.sample import Window

# Pixels, which at this resolution are also the unit of the layout.
_DPI = 100
_WIDTH, _GAP, _MARGIN, _LINE = 1000, 8, 14, 13
_LEAST = 132  # across, so that a caption can be read
_FRAME, _SPECTROGRAM = 96, 216
_FRAMES = {True: 6, False: 5}  # of a window, with a spectrogram beside and without: one column, or two
_INK, _BAR = "#222222", "#4c72b0"
_BINS, _ROOM = 20, 12  # of a histogram; bars that a single one leaves room for
_POINTS = 7  # of captions


def sheet(windows: Sequence[Window], path: Path) -> None:
    """Writes a PNG: of each window some frames from left to right, its spectrogram beside, its class and id above."""
    with_sound = any(one.spectrogram is not None for one in windows)
    longest = max((len(one.frames) for one in windows if one.frames is not None), default=0)
    frames_across = _FRAME * min(_FRAMES[with_sound], longest)
    sound_across = _SPECTROGRAM * with_sound
    across = max(frames_across + sound_across + _GAP * (frames_across > 0 and sound_across > 0), _LEAST)
    captions = [[fitted(line, across, _POINTS) for line in _caption(window)] for window in windows]
    above = 5 + _LINE * max(map(len, captions), default=1)
    columns = max(1, (_WIDTH - 2 * _MARGIN + _GAP) // (across + _GAP))
    rows = max(1, -(-len(windows) // columns))
    width = 2 * _MARGIN + columns * (across + _GAP) - _GAP
    height = 2 * _MARGIN + rows * (above + _FRAME + _GAP)
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
    if not windows:
        figure.text(0.5, 0.5, "nothing was decoded", ha="center", va="center", fontsize=7, color=_INK)
    for number, window in enumerate(windows):
        left = _MARGIN + number % columns * (across + _GAP)
        top = _MARGIN + number // columns * (above + _FRAME + _GAP) + above
        for line, text in enumerate(reversed(captions[number])):
            bottom = 1 - (top - 4 - _LINE * line) / height
            figure.text(left / width, bottom, text, fontsize=_POINTS, color=_INK, family=FONT, parse_math=False)
        for frame in _some(window.frames, _FRAMES[with_sound]):
            _picture(figure, frame, (left, top, _FRAME - 2), (width, height))
            left += _FRAME
        if window.spectrogram is not None:
            left += _GAP * (window.frames is not None)
            axes = figure.add_axes(_place((left, top, _SPECTROGRAM), (width, height)))
            spectrogram(axes, window.spectrogram, -90, 20)
    save(figure, path)


def _caption(window: Window) -> list[str]:
    """Lines: its class, if there is one, and its file, without the class's folder."""
    name = to_text(from_text(window.id.split("/", 2)[-1]))  # with its spaces
    return [window.label, name.removeprefix(f"{window.label}/")] if window.label else [name]


def _some(frames: np.ndarray | None, most: int) -> list[np.ndarray]:
    if frames is None or not len(frames):
        return []
    return [frames[at] for at in np.linspace(0, len(frames) - 1, min(most, len(frames))).round().astype(int)]


def _picture(figure: Figure, frame: np.ndarray, at: tuple[int, int, int], size: tuple[int, int]) -> None:
    axes = figure.add_axes(_place(at, size))
    axes.imshow(frame, interpolation="nearest")
    axes.set_axis_off()


def _place(at: tuple[int, int, int], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """at: left, top and width in px of something as high as a frame."""
    left, top, across = at
    width, height = size
    return left / width, 1 - (top + _FRAME) / height, across / width, _FRAME / height


def histograms(values: Mapping[str, np.ndarray], counts: Mapping[str, int], path: Path) -> None:
    """Writes a PNG. values: of each file, by what they are, with the unit. counts: files by class, none without."""
    panels = {name: one for name, one in values.items() if len(one)}
    number = max(1, len(panels) + bool(counts))
    figure = Figure(figsize=(4 * number, 3), dpi=_DPI, facecolor="white", layout="constrained")
    for place, (name, numbers) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, number, place)
        low, high = (f"{one:.4g}" for one in (numbers.min(), numbers.max()))
        if low == high:
            axes.bar([0], [len(numbers)], width=1, color=_BAR)
            axes.set_xlim(-_ROOM / 2, _ROOM / 2)
            axes.set_xticks([0], [f"all {low}"])
        else:
            axes.hist(numbers, bins=_BINS, color=_BAR)
        axes.set_xlabel(name, fontsize=8)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel("files", fontsize=8)
        axes.tick_params(labelsize=7)
    if counts:
        axes = figure.add_subplot(1, number, number)
        axes.bar(range(len(counts)), list(counts.values()), color=_BAR)
        axes.set_ylabel("files", fontsize=8)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelsize=7)
        if len(counts) <= 30:
            ticks = axes.set_xticks(range(len(counts)), [one[:16] for one in counts], rotation=90, fontsize=7)
            for tick in ticks:
                tick.label1.set_parse_math(False)
        else:
            axes.set_xlabel(f"{len(counts)} classes", fontsize=8)
            axes.set_xticks([])
    save(figure, path)
