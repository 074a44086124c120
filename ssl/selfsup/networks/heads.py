"""What pretext tasks put on top of an encoder; thrown away afterwards."""

from torch import Tensor, nn

from selfsup.networks.encoder import Encoder


class PooledClassifier(nn.Module):
    """Global average pooling of the last block, over all its axes, then a linear layer."""

    def __init__(self, encoder: Encoder, classes: int) -> None:
        """encoder: the one whose last block it will stand on; it is only asked for its width."""
        super().__init__()
        self.linear = nn.Linear(encoder.channels[-1], classes)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """maps: an encoder's blocks, each (B, C, *axes) -> logits (B, classes)."""
        logits: Tensor = self.linear(maps[-1].flatten(2).mean(dim=2))
        return logits
