"""Vision transformer: Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021, with the positions of MAE.

Sizes of the papers, at 16 px a patch and 224 px a picture: B has dim 768, depth 12, 12 heads; L has 1024, 24, 16; H has
1280, 32, 16 and 14 px a patch. MLPs are four times as wide as the tokens. Inside a layer, weights have the names and
shapes of timm's `vision_transformer`.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfsup.networks.encoder import Encoder
from selfsup.networks.preparation import ONE_FRAME, single_image

MLP_RATIO = 4
EPSILON = 1e-6
"""Of layer normalisation, as in timm's and MAE's ViT."""
BLOCKS = 4
"""How many depths probes are shown, at most: as many as the stages of a ResNet."""


class ViT(Encoder):
    """Differs from the paper in the positions: fixed sines and cosines, as in MAE and MoCo v3, where the paper learns
    them. There is no dropout, as in MAE.
    """

    streams: ClassVar = ("frames",)
    ranges: ClassVar = {
        "patch": (1, 256),
        "dim": (4, 65536),
        "depth": (1, 256),
        "heads": (1, 256),
        "side": (8, 4096),
    }
    windows = ONE_FRAME
    positions: Tensor

    def __init__(self, *, patch: int, dim: int, depth: int, heads: int, side: int) -> None:
        """patch: its side in px. dim: width of a token. depth: layers. heads: of attention. side: of the picture, px.

        Raises ValueError if patches do not fill the picture, or if dim is no multiple of 4 (positions) or of heads.
        """
        super().__init__()
        if side % patch:
            raise ValueError(f"ViT: side must be a multiple of patch: {side} px is none of {patch} px")
        self.patch, self.dim, self.side = patch, dim, side
        self.cells = side // patch
        self.patch_embed = nn.Linear(3 * patch**2, dim)
        self.class_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.layers = layers(dim, depth, heads)
        self.norm = nn.LayerNorm(dim, eps=EPSILON)
        # Follows from the sizes, so that no file needs to hold it.
        self.register_buffer("positions", sine_cosine_positions(self.cells, dim), persistent=False)
        self.shown = sorted({math.ceil(depth * part / BLOCKS) for part in range(1, BLOCKS + 1)})
        initialise(self)
        nn.init.normal_(self.class_token, std=0.02)

    @property
    def channels(self) -> list[int]:
        """The tokens' width, once a block."""
        return [self.dim] * len(self.shown)

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, 1, 3, H, H) uint8 -> (B, 3, side, side) in [-1, 1]. Raises ValueError for other shapes."""
        return single_image(streams["frames"], self.side)

    def blocks(self, x: Tensor) -> list[Tensor]:
        """x: (B, 3, side, side) -> maps (B, dim, side / patch, side / patch) of the patches' tokens after up to four
        evenly spaced layers; the last one after the final normalisation, too."""
        after = self.through(self.embedded(x))
        maps = [after[depth - 1] for depth in self.shown[:-1]] + [self.norm(after[-1])]
        shape = (len(x), self.dim, self.cells, self.cells)
        return [tokens[:, 1:].transpose(1, 2).reshape(shape) for tokens in maps]

    def embedded(self, x: Tensor) -> Tensor:
        """x: (B, 3, side, side) -> (B, N, dim), the patches' embeddings with their positions, row after row."""
        tokens: Tensor = self.patch_embed(patches(x, self.patch))
        return tokens + self.positions

    def visible(self, x: Tensor, kept: Tensor) -> Tensor:
        """x: (B, 3, side, side). kept: (B, V) int64, the patches that are shown, row after row from 0 on.
        -> (B, 1 + V, dim): the class token and theirs, normalised. What is not kept costs nothing."""
        tokens = self.patch_embed(chosen(patches(x, self.patch), kept)) + self.positions[kept]
        return self.encoded(tokens)

    def encoded(self, tokens: Tensor) -> Tensor:
        """tokens: (B, n, dim), embeddings with their positions -> (B, 1 + n, dim) after the last layer, normalised."""
        last: Tensor = self.norm(self.through(tokens)[-1])
        return last

    def through(self, tokens: Tensor) -> list[Tensor]:
        """tokens: (B, n, dim), embeddings with their positions -> (B, 1 + n, dim) after each layer, the class token
        first. The last one is not normalised."""
        x = torch.cat([self.class_token.expand(len(tokens), -1, -1).to(tokens.dtype), tokens], dim=1)
        after = []
        for layer in self.layers:
            x = layer(x)
            after.append(x)
        return after


class Layer(nn.Module):
    """Attention, then an MLP, each of what is normalised before and added to what came in."""

    def __init__(self, dim: int, heads: int) -> None:
        """dim: of tokens. heads: of attention."""
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=EPSILON)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=EPSILON)
        self.mlp = MLP(dim, MLP_RATIO * dim)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, n, dim) -> the same shape."""
        x = x + self.attn(self.norm1(x))
        after: Tensor = x + self.mlp(self.norm2(x))
        return after


class Attention(nn.Module):
    """Of every token to every one."""

    def __init__(self, dim: int, heads: int) -> None:
        """dim: of tokens. Raises ValueError if it is no multiple of heads."""
        super().__init__()
        if dim % heads:
            raise ValueError(f"ViT: dim must be a multiple of heads: {dim} is none of {heads}")
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, n, dim) -> the same shape."""
        # (3, B, heads, n, dim / heads)
        apart = self.qkv(x).reshape(*x.shape[:2], 3, self.heads, -1)
        queries, keys, values = apart.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(queries, keys, values)
        mixed: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return mixed


class MLP(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, dim: int, hidden: int) -> None:
        """dim: of tokens. hidden: of the layer between."""
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., dim) -> the same shape."""
        result: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return result


def layers(dim: int, depth: int, heads: int) -> nn.ModuleList:
    """As many layers as `depth`."""
    return nn.ModuleList(Layer(dim, heads) for _ in range(depth))


def initialise(network: nn.Module) -> None:
    """Linear layers as in MAE's code: Xavier's uniform weights, no bias."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)


def patches(images: Tensor, patch: int) -> Tensor:
    """images: (B, C, H, W) -> (B, N, C * patch * patch), row after row; in each the colour changes slowest, as in the
    kernel of a convolution."""
    batch, colours, height, width = images.shape
    cut = images.reshape(batch, colours, height // patch, patch, width // patch, patch)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def pictures(cut: Tensor, patch: int) -> Tensor:
    """cut: (B, N, C * patch * patch), see `patches`, of square pictures -> (B, C, H, H)."""
    cells = math.isqrt(cut.shape[1])
    grid = cut.reshape(len(cut), cells, cells, -1, patch, patch)
    return grid.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def chosen(tokens: Tensor, indices: Tensor) -> Tensor:
    """tokens: (B, N, D). indices: (B, n) int64, each entry's own -> (B, n, D)."""
    return tokens.gather(1, indices[..., None].expand(-1, -1, tokens.shape[2]))


def sine_cosine_positions(cells: int, dim: int) -> Tensor:
    """-> (cells * cells, dim), row after row: the first half of the numbers tells the column, the second the row; in
    each, sines of dim / 4 wavelengths and then cosines (MAE's `util/pos_embed.py`; Vaswani et al., 2017, in each axis).
    Raises ValueError if dim is no multiple of 4."""
    if dim % 4:
        raise ValueError(f"ViT: dim must be a multiple of 4, not {dim}: positions are a sine and a cosine of both axes")
    frequencies = 10000.0 ** -(torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
    angles = torch.arange(cells, dtype=torch.float64)[:, None] * frequencies
    along = torch.cat([angles.sin(), angles.cos()], dim=1)
    return torch.cat([along.repeat(cells, 1), along.repeat_interleave(cells, dim=0)], dim=1).float()
