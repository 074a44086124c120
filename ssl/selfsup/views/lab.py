"""sRGB to CIE Lab and back, for whole batches; and the grid of ab colours that colourisation predicts.

IEC 61966-2-1 for sRGB, CIE 15 for Lab, white point D65 of the 2 degree observer: the conventions of skimage.color.
"""

import torch
from torch import Tensor

TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
"""Linear sRGB to XYZ, from the ITU-R BT.709 primaries, as in skimage and OpenCV."""
WHITE = (0.95047, 1.0, 1.08883)
"""XYZ of D65."""
LINEAR_UP_TO = 0.04045
"""sRGB below this is linear in light."""
CUBIC_FROM = 6 / 29
"""f of XYZ above this is a cube root; below it is a line."""
SLOPE = 3 * CUBIC_FROM**2
DISTANCE_SCALE = 150.0
"""Distances in ab are divided by this: the largest threshold of the paper's accuracy curves (Zhang et al., ECCV 2016,
section 3.2). The mean of the result is 1 less the area under such a curve."""


def srgb_to_lab(images: Tensor) -> Tensor:
    """images: (B, 3, H, W) float in [-1, 1] -> (B, 3, H, W): L in 0..100, a in -87..99, b in -108..95."""
    srgb = (images + 1) / 2
    linear = torch.where(srgb > LINEAR_UP_TO, ((srgb.clamp(min=0) + 0.055) / 1.055) ** 2.4, srgb / 12.92)
    # Each row divided by the white point, so that white is (1, 1, 1).
    xyz = _mixed(linear, [[weight / white for weight in row] for row, white in zip(TO_XYZ, WHITE, strict=True)])
    f = torch.where(xyz > CUBIC_FROM**3, xyz.clamp(min=1e-6) ** (1 / 3), xyz / SLOPE + 4 / 29)
    x, y, z = f.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def lab_to_srgb(lab: Tensor) -> Tensor:
    """lab: (B, 3, H, W), as `srgb_to_lab` makes it -> (B, 3, H, W) in [-1, 1]. Colours that sRGB lacks are cut off."""
    lightness, a, b = lab.unbind(dim=1)
    y = (lightness + 16) / 116
    f = torch.stack([y + a / 500, y, y - b / 200], dim=1)
    xyz = torch.where(f > CUBIC_FROM, f**3, SLOPE * (f - 4 / 29))
    inverse = torch.linalg.inv(torch.tensor(TO_XYZ, dtype=torch.float64)).tolist()
    linear = _mixed(xyz, [[weight * white for weight, white in zip(row, WHITE, strict=True)] for row in inverse])
    linear = linear.clamp(0, 1)
    curve = 1.055 * linear.clamp(min=1e-6) ** (1 / 2.4) - 0.055
    srgb = torch.where(linear > LINEAR_UP_TO / 12.92, curve, 12.92 * linear)
    return srgb.clamp(0, 1) * 2 - 1


def _mixed(images: Tensor, rows: list[list[float]]) -> Tensor:
    """images: (B, 3, H, W). rows: a 3 x 3 matrix. -> the matrix times every pixel."""
    # Not by a tensor of weights: to copy one to a GPU would stall it.
    first, second, third = images.unbind(dim=1)
    return torch.stack([row[0] * first + row[1] * second + row[2] * third for row in rows], dim=1)


def as_grey(images: Tensor) -> Tensor:
    """images: (B, 3, H, W) float in [-1, 1] -> the same shape: L / 50 - 1, three times over."""
    return (srgb_to_lab(images)[:, :1] / 50 - 1).expand_as(images)


def gamut_bins(grid: float) -> Tensor:
    """(Q, 2): multiples of `grid`, in ab, that are the nearest one to some 8-bit sRGB colour; sorted by a, then b.

    261 at grid 10. The authors' list (pts_in_hull.npy) has 313: it reaches one step further. It begins at (-90, 50), 12
    from the nearest colour of sRGB.
    """
    # Only the cube's six faces: their shadow on the ab plane is the whole cube's.
    levels = torch.linspace(-1, 1, 256, dtype=torch.float64)
    one, other = torch.meshgrid(levels, levels, indexing="ij")
    faces = []
    for fixed in (-1.0, 1.0):
        flat = torch.full_like(one, fixed)
        faces += [torch.stack(face) for face in ((flat, one, other), (one, flat, other), (one, other, flat))]
    ab = srgb_to_lab(torch.stack(faces))[:, 1:]
    steps = (ab / grid).round().long()
    reach = int(steps.abs().max())
    occurs = torch.zeros(2 * reach + 1, 2 * reach + 1, dtype=torch.bool)
    occurs[steps[:, 0] + reach, steps[:, 1] + reach] = True
    return (occurs.nonzero() - reach) * float(grid)


def nearest_bins(ab: Tensor, bins: Tensor, neighbours: int = 1) -> tuple[Tensor, Tensor]:
    """ab: (N, 2). bins: (Q, 2). -> distances and indices, (N, neighbours) each, from near to far."""
    # Not by a product of matrices, whose rounding is as large as the difference between two near bins.
    distances = torch.cdist(ab, bins, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = distances.topk(neighbours, dim=1, largest=False)
    return nearest.values, nearest.indices
