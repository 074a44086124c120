"""What a frozen encoder makes of clips: pooled maps of each block, ready for a linear classifier."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from selfsup.networks.encoder import Encoder, window_times
from selfsup.source import Draw, Source, Table

# Of windows that go through the encoder at once. Changes what comes out by rounding only.
BATCH = 256


@dataclass(frozen=True)
class Features:
    """rows: (N,) int64, the clips' positions in the index. labels: (N,) int64.
    blocks: `block1`, `block2`, ... -> (N, times a clip, D) float32.
    """

    rows: np.ndarray
    labels: np.ndarray
    blocks: dict[str, np.ndarray]


def clip_times(table: Table, times_per_clip: int) -> Tensor:
    """The midpoints of equal parts of each clip. table: `clips`, N entries -> (N, times_per_clip) float64 seconds."""
    midpoints = (torch.arange(times_per_clip, dtype=torch.float64) + 0.5) / times_per_clip
    return table["start"][:, None] + (table["end"] - table["start"])[:, None] * midpoints


def pooled(feature_map: Tensor, dims: int) -> Tensor:
    """(B, C, h, w) -> (B, C * g * g), averaged over a g x g grid: the finest with at most `dims` numbers, never finer
    than the map nor coarser than 1 x 1 (Zhang et al., ECCV 2016: each AlexNet layer pooled to about 9,000).

    (B, C, t, h, w) is averaged over t first; (B, C, t) -> (B, C * g), over g equal parts. Raises ValueError for others.
    """
    channels, *axes = feature_map.shape[1:]
    match axes:
        case [_, _, _]:
            return pooled(feature_map.mean(dim=2), dims)
        case [height, width]:
            grid = max(1, min(math.isqrt(dims // channels), height, width))
            return F.adaptive_avg_pool2d(feature_map, grid).flatten(1)
        case [length]:
            return F.adaptive_avg_pool1d(feature_map, max(1, min(dims // channels, length))).flatten(1)
    raise ValueError(f"a block must be (B, C, *axes) with one to three axes: got {tuple(feature_map.shape)}")


def clip_features(
    encoder: Encoder, source: Source, *, label: str, times_per_clip: int, dims: int, device: str
) -> Features:
    """Every clip of a source of the table `clips`, in the table's order, read as `encoder.windows` says around
    `times_per_clip` times of it; the encoder ends in evaluation mode on device.

    Raises ValueError if the source has no clips, does not carry the label, or has clips without it (a negative label).
    """
    rows = source.table["row"]
    if len(rows) == 0:
        raise ValueError("a split has no clips to compute features from")
    if label not in source.classes:
        raise ValueError(f"no label {label!r} in this dataset; it carries {', '.join(source.classes) or 'none'}")
    encoder.to(device).eval()
    examples = torch.arange(len(rows)).repeat_interleave(times_per_clip)
    centres = clip_times(source.table, times_per_clip).flatten()
    maps: list[list[Tensor]] = []
    labels: list[Tensor] = []
    for indices, around in zip(torch.split(examples, BATCH), torch.split(centres, BATCH), strict=True):
        times = {stream: window_times(around, window) for stream, window in encoder.windows.items()}
        batch = source.take(Draw(indices, rows[indices], times))
        labels.append(batch.labels[label])
        with torch.no_grad():
            blocks = encoder.blocks(encoder.prepare(batch.to(device).streams))
            maps.append([pooled(block, dims).cpu() for block in blocks])
    clip_labels = torch.cat(labels).reshape(-1, times_per_clip)[:, 0].numpy()
    if (clip_labels < 0).any():
        raise ValueError(f"{(clip_labels < 0).sum()} of {len(rows)} clips have no {label!r}; leave them out")
    return Features(
        rows=rows.numpy(),
        labels=clip_labels,
        blocks={
            f"block{depth}": torch.cat(parts).reshape(len(rows), times_per_clip, -1).numpy()
            for depth, parts in enumerate(zip(*maps, strict=True), start=1)
        },
    )
