import pytest
import torch

from selfsup.networks.convnet import ConvNet
from selfsup.networks.heads import PooledClassifier


@pytest.mark.parametrize("axes", [(4,), (4, 4), (3, 4, 4)])
def test_pooled_classifier_is_a_linear_layer_on_the_last_maps_mean(axes: tuple[int, ...]) -> None:
    head = PooledClassifier(ConvNet(widths=[4, 6], side=16), classes=3)
    maps = [torch.randn(2, 4, *axes), torch.randn(2, 6, *axes)]
    by_hand = torch.stack([head.linear(example.flatten(1).mean(dim=1)) for example in maps[-1]])
    torch.testing.assert_close(head(maps), by_hand)
