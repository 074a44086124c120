"""What pretext tasks put on top of an encoder; thrown away afterwards."""

from itertools import pairwise

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


def projection_head(inputs: int, *, hidden: int, dims: int, layers: int, normalised: bool) -> nn.Sequential:
    """(B, inputs) -> (B, dims), by `layers` linear layers with ReLUs between them, `hidden` units wide inside.

    layers: 1 for one linear layer (MoCo v1), 2 for SimCLR's head, 3 for that of its second version; 0 leaves features
    as they are, with their own width. normalised: batch normalisation after every layer, after the last without a
    shift, as in SimCLR's code (model_util.py); without it the layers have biases, as in MoCo v2's.
    """
    widths = [inputs, *[hidden] * (layers - 1), dims] if layers else []
    modules: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(widths), start=1):
        modules.append(nn.Linear(before, after, bias=not normalised))
        if normalised:
            modules.append(nn.BatchNorm1d(after))
        if number < layers:
            modules.append(nn.ReLU(inplace=True))
    if normalised and modules:
        modules[-1].register_parameter("bias", None)
    return nn.Sequential(*modules)
