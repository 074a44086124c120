"""What a frozen encoder makes of clips: pooled maps of each block, ready for a classifier."""

import math
from collections.abc import Callable
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
    """rows: (N,) int64, the clips' positions in the index. blocks: `block1`, `block2`, ... -> (N, times a clip, D)
    float32. averages: (N, times a clip, C) float32, the last block averaged over all of its axes.
    """

    rows: np.ndarray
    blocks: dict[str, np.ndarray]
    averages: np.ndarray


@dataclass(frozen=True)
class LabelledFeatures:
    """Features, and one label of each clip: labels (N,) int64, of `classes` that the dataset has."""

    features: Features
    labels: np.ndarray
    classes: int


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


def pooled_each(feature_map: Tensor, dims: int) -> Tensor:
    """(B, C, t, h, w) -> (B, t, D), each time of it `pooled` alone; anything else (B, 1, D)."""
    if feature_map.ndim != 5:
        return pooled(feature_map, dims)[:, None]
    apart = feature_map.transpose(1, 2)
    return pooled(apart.flatten(0, 1), dims).reshape(*apart.shape[:2], -1)


def frames_of(source: Source, frames: int) -> int:
    """Of each clip of a source of the table `clips`, how many of so many frames are different: a still shows the same
    at every time of it."""
    return frames if bool((source.table["end"] > source.table["start"]).any()) else 1


@torch.no_grad()
def pooled_features(
    encoder: Encoder,
    source: Source,
    *,
    times_per_clip: int,
    dims: int,
    device: str,
    pool: Callable[[Tensor, int], Tensor] = pooled,
) -> Features:
    """Every clip of a source of the table `clips`, in the table's order, read as `encoder.windows` says around
    `times_per_clip` times of it; the encoder ends in evaluation mode on device. pool: `pooled`, or `pooled_each`, for
    which the times of a window are times of the clip.

    Raises ValueError if the source has no clips.
    """
    rows = source.table["row"]
    if len(rows) == 0:
        raise ValueError("a split has no clips to compute features from")
    encoder.to(device).eval()
    examples = torch.arange(len(rows)).repeat_interleave(times_per_clip)
    centres = clip_times(source.table, times_per_clip).flatten()
    maps: list[list[Tensor]] = []
    averages: list[Tensor] = []
    for indices, around in zip(torch.split(examples, BATCH), torch.split(centres, BATCH), strict=True):
        times = {stream: window_times(around, window) for stream, window in encoder.windows.items()}
        batch = source.take(Draw(indices, rows[indices], times))
        blocks = encoder.blocks(encoder.prepare(batch.to(device).streams))
        maps.append([pool(block, dims).float().cpu() for block in blocks])
        averages.append(blocks[-1].flatten(2).mean(dim=2).float().cpu())
    return Features(
        rows=rows.numpy(),
        blocks={
            f"block{depth}": torch.cat(parts).reshape(len(rows), -1, parts[0].shape[-1]).numpy()
            for depth, parts in enumerate(zip(*maps, strict=True), start=1)
        },
        averages=torch.cat(averages).reshape(len(rows), times_per_clip, -1).numpy(),
    )


def labelled(features: Features, source: Source, label: str) -> LabelledFeatures:
    """features: of this source. Raises ValueError if it does not carry the label, or has clips without it (a negative
    label)."""
    if label not in source.classes:
        raise ValueError(f"no label {label!r} in this dataset; it carries {', '.join(source.classes) or 'none'}")
    labels = labels_of(source, label)
    if (labels < 0).any():
        raise ValueError(f"{(labels < 0).sum()} of {len(labels)} clips have no {label!r}; leave them out")
    return LabelledFeatures(features, labels, len(source.classes[label]))


def labels_of(source: Source, label: str) -> np.ndarray:
    """(N,) int64, of every entry of a source that was opened with the label. No stream is read."""
    rows = source.table["row"]
    return source.take(Draw(torch.arange(len(rows)), rows, {})).labels[label].numpy()


def clip_features(
    encoder: Encoder,
    source: Source,
    *,
    label: str,
    times_per_clip: int,
    dims: int,
    device: str,
    pool: Callable[[Tensor, int], Tensor] = pooled,
) -> LabelledFeatures:
    """`pooled_features`, `labelled`. Raises ValueError like both."""
    features = pooled_features(encoder, source, times_per_clip=times_per_clip, dims=dims, device=device, pool=pool)
    return labelled(features, source, label)
