import pytest
import torch
import torch.nn.functional as F

from selfsup.networks.convnet import ConvNet
from selfsup.networks.heads import PooledClassifier, projection_head


@pytest.mark.parametrize("axes", [(4,), (4, 4), (3, 4, 4)])
def test_pooled_classifier_is_a_linear_layer_on_the_last_maps_mean(axes: tuple[int, ...]) -> None:
    head = PooledClassifier(ConvNet(widths=[4, 6], side=16), classes=3)
    maps = [torch.randn(2, 4, *axes), torch.randn(2, 6, *axes)]
    by_hand = torch.stack([head.linear(example.flatten(1).mean(dim=1)) for example in maps[-1]])
    torch.testing.assert_close(head(maps), by_hand)


def test_simclrs_head_is_linear_normalisation_relu_linear_normalisation_without_shift() -> None:
    head = projection_head(5, hidden=7, dims=3, layers=2, normalised=True)
    features = torch.randn(8, 5)
    first, second = (layer.weight for layer in head if isinstance(layer, torch.nn.Linear))
    hidden = F.relu(F.batch_norm(features @ first.T, None, None, training=True))
    by_hand = F.batch_norm(hidden @ second.T, None, None, training=True)
    torch.testing.assert_close(head(features), by_hand, atol=1e-5, rtol=1e-4)
    assert {name for name, _ in head.named_parameters()} == {"0.weight", "1.weight", "1.bias", "3.weight", "4.weight"}


def test_heads_have_as_many_layers_as_asked_for() -> None:
    features = torch.randn(8, 5)
    assert torch.equal(projection_head(5, hidden=7, dims=3, layers=0, normalised=True)(features), features)
    (layer,) = projection_head(5, hidden=7, dims=3, layers=1, normalised=False)
    assert layer.bias is not None
    assert layer.weight.shape == (3, 5)
    three = projection_head(5, hidden=7, dims=3, layers=3, normalised=False)
    shapes = [layer.weight.shape for layer in three if isinstance(layer, torch.nn.Linear)]
    assert shapes == [(7, 5), (7, 7), (3, 7)]
