"""Which frame and which sound of a clip make a pair."""

import torch
from torch import Generator, Tensor

from selfsup.source import Table

SLACK = 1e-6  # seconds; absorbs the rounding of times


def pair_times(
    table: Table, indices: Tensor, generator: Generator, *, seconds: float, grid: float
) -> tuple[Tensor, Tensor]:
    """When a frame is shown and when `seconds` of sound around it begin, both (B,) float64 seconds.

    table: `clips`; indices: (B,) into it. Sound begins at a multiple of `grid` after the clip's start and ends with the
    clip at the latest, the frame is one of those shown meanwhile, at a multiple of grid too. Both are the same for
    matching and mismatched pairs: a sound that begins between two frames would give away that it is of another clip
    (Arandjelovic and Zisserman, ECCV 2018, section 3.1: 0.04 s). In a clip shorter than `seconds` sound begins with it.
    """
    starts, ends = table["start"][indices], table["end"][indices]
    places, frames = torch.rand(2, len(indices), generator=generator, dtype=torch.float64)
    # A clip's last frame lasts as long as the others: its sound ends a grid's step after the last frame's time.
    room = torch.floor((ends + grid - starts - seconds + SLACK) / grid).clamp(min=0)
    begin = torch.floor(places * (room + 1))
    shown = torch.ceil(torch.minimum(torch.full_like(room, seconds), ends + grid - starts) / grid - SLACK).clamp(min=1)
    return starts + grid * (begin + torch.floor(frames * shown)), starts + grid * begin
