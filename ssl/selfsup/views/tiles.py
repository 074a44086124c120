"""Tiles of a picture: cut from a grid, and some of them made coarse."""

import math

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


def coarsening(size: int, least_pixels: int) -> Tensor:
    """-> (K, size, size): maps of `size` px to fewer and back, for each side from that of `least_pixels` to size - 1;
    the last one leaves all as it is. A tile X becomes M X M^T. Raises ValueError for `least_pixels` that are not fewer
    than the tile's.
    """
    if not 1 <= least_pixels < size * size:
        raise ValueError(f"least_pixels must be from 1 to {size * size - 1} for tiles of {size} px, not {least_pixels}")
    whole = torch.zeros(1), torch.full((1,), float(size))
    maps = [torch.eye(size)[None]]
    for side in range(size - 1, math.isqrt(least_pixels) - 1, -1):
        fewer = torch.zeros(1), torch.full((1,), float(side))
        maps.insert(0, resampling(*fewer, side, size) @ resampling(*whole, size, side))
    return torch.cat(maps)


def coarsened(tiles: Tensor, maps: Tensor, share: float, generator: Generator) -> Tensor:
    """tiles: (M, C, size, size). maps: those of `coarsening`. -> the same shape: with probability `share` a tile is
    down-sampled and up-sampled again, its pixels in between uniform between the least and one less than it has a side.

    Doersch, Gupta and Efros (ICCV 2015), section 3.1: so that a network cannot rely on the finest details.
    """
    size, count = tiles.shape[-1], len(maps)
    coin, pixels = torch.rand(2, len(tiles), generator=generator, device=tiles.device)
    least = size - count + 1
    sides = (least**2 + ((size - 1) ** 2 - least**2) * pixels).sqrt().round().long()
    chosen = maps[torch.where(coin < share, sides - least, count - 1)]
    return separable(tiles, chosen, chosen)
