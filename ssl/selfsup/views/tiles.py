"""Tiles of a picture: cut from a grid, and some of them made coarse."""

from functools import cache

import torch
from torch import Generator, Tensor

from selfsup.views.geometry import resampling
from selfsup.views.separable import separable


def grid_corners(grid: int, pitch: int, device: torch.device) -> Tensor:
    """-> (grid * grid, 2) int64, the top and left of each cell in px, row after row. pitch: from cell to cell."""
    steps = torch.arange(grid, device=device) * pitch
    return torch.cartesian_prod(steps, steps)


def random_shifts(shape: tuple[int, ...], least: int, greatest: int, generator: Generator) -> Tensor:
    """int64 of a shape, uniform from `least` to `greatest`, both included. On the generator's device."""
    return torch.randint(least, greatest + 1, shape, generator=generator, device=generator.device)


def cut(images: Tensor, corners: Tensor, size: int) -> Tensor:
    """images: (B, C, H, W). corners: (B, N, 2) int64, the top and left of N tiles in px; or (B, N, C, 2), where each
    channel has its own. -> tiles (B, N, C, size, size). Whole pixels are copied: interpolation would leave traces.

    The tiles must lie inside the image.
    """
    if corners.ndim == 3:
        corners = corners[:, :, None].expand(-1, -1, images.shape[1], -1)
    along = torch.arange(size, device=images.device)
    rows, columns = (corners[..., axis, None] + along for axis in (0, 1))
    entries = torch.arange(len(images), device=images.device).view(-1, 1, 1, 1, 1)
    channels = torch.arange(images.shape[1], device=images.device).view(1, 1, -1, 1, 1)
    return images[entries, channels, rows[..., :, None], columns[..., None, :]]


@cache
def coarsening(size: int, least: int, device: torch.device) -> Tensor:
    """-> (K, size, size): maps of `size` px to fewer and back, for each side from `least` to size - 1; the last one
    leaves all as it is. A tile X becomes M X M^T. Cached, so do not write to it. Raises ValueError for a least side
    that is not smaller than the tile's.
    """
    if not 1 <= least < size:
        raise ValueError(f"tiles of {size} px cannot be made coarse: the least side must be below that, not {least} px")
    whole = torch.zeros(1), torch.full((1,), float(size))
    maps = []
    for side in range(least, size):
        fewer = torch.zeros(1), torch.full((1,), float(side))
        maps.append(resampling(*fewer, side, size) @ resampling(*whole, size, side))
    return torch.cat([*maps, torch.eye(size)[None]]).to(device)


def coarsened(tiles: Tensor, share: float, least: int, generator: Generator) -> Tensor:
    """tiles: (M, C, size, size) -> the same shape: with probability `share` a tile is down-sampled and up-sampled
    again. In between its pixels are uniform from least * least to (size - 1) * (size - 1).

    Doersch, Gupta and Efros (ICCV 2015), section 3.1: so that a network cannot rely on the finest details.
    """
    size = tiles.shape[-1]
    maps = coarsening(size, least, tiles.device)
    count = len(maps)
    coin, pixels = torch.rand(2, len(tiles), generator=generator, device=tiles.device)
    sides = (least**2 + ((size - 1) ** 2 - least**2) * pixels).sqrt().round().long()
    chosen = maps[torch.where(coin < share, sides - least, count - 1)]
    return separable(tiles, chosen, chosen)
