"""What pretext tasks put on top of an encoder; thrown away afterwards."""

from torch import Tensor, nn

from selfsup.networks.encoder import Encoder


class PooledClassifier(nn.Module):
    """Global average pooling of the last block, then a linear layer."""

    def __init__(self, encoder: Encoder, classes: int, steps: int = 1) -> None:
        """encoder: the one whose last block it will stand on; it is only asked for its width. steps: 1 to average over
        all axes of the block; more for one with as many in time, (B, C, steps, h, w), which are not averaged over."""
        super().__init__()
        self.steps = steps
        self.linear = nn.Linear(encoder.channels[-1] * steps, classes)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """maps: an encoder's blocks, each (B, C, *axes) -> logits (B, classes)."""
        batch, channels = maps[-1].shape[:2]
        averages = maps[-1].reshape(batch, channels, self.steps, -1).mean(dim=3)
        logits: Tensor = self.linear(averages.flatten(1))
        return logits
