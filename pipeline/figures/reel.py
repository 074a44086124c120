"""A reel: clips side by side, playing in time, below each the envelope of its sound with a cursor that keeps pace."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from pipeline.figures.strip import FAINT, INK, Strip, caption

# Pixels, which at this resolution are also the unit of the layout.
_DPI = 100
_FRAME, _GAP, _MARGIN = 152, 10, 14
_WAVE, _CAPTION = 40, 34
_WAVE_TOP = _MARGIN + _FRAME + _GAP
_AHEAD = "#cccccc"  # of the sound that is still to come
# Of lossy WebP. Below, blocks of an earlier frame are seen to stay behind; methods above 4 take thirty times as long
# for a hundredth of the size.
_QUALITY, _METHOD = 70, 4


def reel(clips: Sequence[Strip], frames_per_second: float, path: Path) -> None:
    """Writes an animated WebP that starts over when it ends. Raises ValueError without clips, or where they differ in
    their number of frames."""
    if not clips:
        raise ValueError(f"{path}: a reel needs at least one clip")
    count = len(clips[0].frames)
    envelopes = [_envelope(clip, count / frames_per_second) for clip in clips]
    paper = _paper(clips)
    pages = []
    for number, frames in enumerate(zip(*(clip.frames for clip in clips), strict=True)):
        page = paper.copy()
        # The middle of the time that a frame is shown.
        played = (number + 0.5) / count
        for column, (frame, envelope) in enumerate(zip(frames, envelopes, strict=True)):
            picture = Image.fromarray(frame).resize((_FRAME, _FRAME), Image.Resampling.LANCZOS)
            page.paste(picture, (_left(column), _MARGIN))
            page.paste(_wave(envelope, played), (_left(column), _WAVE_TOP))
        pages.append(page)
    # Whole milliseconds, which add up to the clips' length.
    ends = np.round(np.arange(count + 1) * 1000 / frames_per_second).astype(int)
    pages[0].save(
        path,
        format="WEBP",
        save_all=True,
        append_images=pages[1:],
        duration=np.diff(ends).tolist(),
        loop=0,
        quality=_QUALITY,
        method=_METHOD,
    )


def _left(column: int) -> int:
    return _MARGIN + column * (_FRAME + _GAP)


def _paper(clips: Sequence[Strip]) -> Image.Image:
    """What stands still: captions on white."""
    width, height = _left(len(clips)) - _GAP + _MARGIN, _WAVE_TOP + _WAVE + _GAP + _CAPTION + _MARGIN
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    for column, clip in enumerate(clips):
        caption(figure, clip, _left(column) / width, (_MARGIN + _CAPTION / 2) / height, 9 / height)
    canvas.draw()  # type: ignore[no-untyped-call]
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())  # type: ignore[no-untyped-call]


def _envelope(clip: Strip, seconds: float) -> NDArray[np.floating]:
    """(px across a frame,): the root mean square of what is heard meanwhile, the loudest being 1."""
    samples = round(seconds * clip.sample_rate)
    sound = np.pad(clip.sound[:samples], (0, max(0, samples - len(clip.sound))))
    loudness = np.array([np.sqrt(np.mean(np.square(part))) for part in np.array_split(sound, _FRAME)])
    return loudness / max(float(loudness.max()), 1e-6)


def _wave(envelope: NDArray[np.floating], played: float) -> Image.Image:
    """played: the share of the clip that has been heard."""
    rows, columns = np.arange(_WAVE)[:, None], np.arange(_FRAME)
    # How much of a pixel lies inside: a smooth edge.
    inside = np.clip(envelope * _WAVE / 2 - np.abs(rows - (_WAVE - 1) / 2) + 0.5, 0, 1)[..., None]
    cursor = round(played * _FRAME)
    colours = np.where((columns < cursor)[:, None], to_rgb(FAINT), to_rgb(_AHEAD))
    picture = 1 - inside * (1 - colours)
    picture[:, cursor - 1 : cursor + 1] = to_rgb(INK)
    return Image.fromarray((255 * picture).round().astype(np.uint8))
