"""The network that turns pictures into tokens: the encoder of a discrete variational autoencoder, see
`selfsup.methods.image.dvae`."""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from selfsup.networks.encoder import Encoder
from selfsup.networks.preparation import ONE_FRAME, single_image
from selfsup.networks.strided import strided_maps, strided_stages


class Tokeniser(Encoder):
    """Stride-2 convolutions as in `ConvNet`, and a 1 x 1 convolution that scores each token in each cell. DALL-E's is
    a ResNet of four groups of two blocks, 8 px a cell, 8192 tokens (Ramesh et al., ICML 2021, appendix A.1).
    """

    streams: ClassVar = ("frames",)
    ranges: ClassVar = {"widths": (1, 65536), "tokens": (2, 65536), "side": (8, 4096)}
    windows = ONE_FRAME

    def __init__(self, *, widths: list[int], tokens: int, side: int) -> None:
        """widths: channels of each convolution; each halves the side. tokens: in the vocabulary. side: of the input,
        px. Raises ValueError if the side cannot be halved so often."""
        super().__init__()
        if side % 2 ** len(widths):
            raise ValueError(
                f"tokeniser: side must be a multiple of {2 ** len(widths)}, one halving a width, not {side}"
            )
        self.widths, self.tokens, self.side = widths, tokens, side
        self.cells = side // 2 ** len(widths)
        self.stages = strided_stages(3, widths)
        self.scores = nn.Conv2d(widths[-1], tokens, kernel_size=1)

    @property
    def channels(self) -> list[int]:
        """The widths that it was made with; the tokens' scores are no block."""
        return self.widths

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, 1, 3, H, H) uint8 -> (B, 3, side, side) in [-1, 1]. Raises ValueError for other shapes."""
        return single_image(streams["frames"], self.side)

    def blocks(self, x: Tensor) -> list[Tensor]:
        """x: (B, 3, side, side) -> maps (B, widths[i], side / 2^(i+1), side / 2^(i+1))."""
        return strided_maps(self.stages, x)

    def logits(self, x: Tensor) -> Tensor:
        """x: (B, 3, side, side) in [-1, 1] -> scores of each token, (B, tokens, cells, cells) float32."""
        scores: Tensor = self.scores(self.blocks(x)[-1])
        return scores.float()
