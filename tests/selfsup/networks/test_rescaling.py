import copy

import pytest
import torch
from torch import Generator, nn

from selfsup.networks.alexnet import AlexNet
from selfsup.networks.convnet import ConvNet
from selfsup.networks.rescaling import kernel_norms, normalised_convolutions, rescale

IMAGES = 2 * torch.rand(32, 3, 64, 64, generator=Generator().manual_seed(0)) - 1


def trained(encoder: nn.Module) -> nn.Module:
    """Kernels of other norms, statistics as data leave them, scales and shifts that do something."""
    generator = Generator().manual_seed(1)
    with torch.no_grad():
        for number, (convolution, normalisation) in enumerate(normalised_convolutions(encoder)):
            convolution.weight *= 2.5 + number
            normalisation.weight.copy_(torch.rand(normalisation.num_features, generator=generator) + 0.5)
            normalisation.bias.copy_(torch.rand(normalisation.num_features, generator=generator) - 0.5)
        for _ in range(3):
            encoder.blocks(IMAGES)
    return encoder


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("make", [lambda: ConvNet(widths=[8, 16, 32], side=64), lambda: AlexNet(side=64)])
def test_the_function_stays_and_the_norms_are_those_of_the_reference(make, mode: str) -> None:
    torch.manual_seed(0)
    encoder = make()
    reference = kernel_norms(encoder)
    encoder = trained(encoder)
    rescaled = rescale(encoder, reference)
    assert kernel_norms(rescaled) == pytest.approx(reference, rel=1e-5)
    assert kernel_norms(encoder) != pytest.approx(reference, rel=0.5)
    with torch.no_grad():
        for ours, theirs in zip(
            rescaled.train(mode == "train").blocks(IMAGES),
            copy.deepcopy(encoder).train(mode == "train").blocks(IMAGES),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=2e-3)


def test_what_is_given_is_left_alone() -> None:
    encoder = trained(ConvNet(widths=[8, 16], side=64))
    before = copy.deepcopy(encoder.state_dict())
    rescale(encoder, [1.0, 1.0])
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_a_step_turns_a_rescaled_kernel_more() -> None:
    """The reason: the same learning rate, the same loss, a kernel of ten times the norm turns by a hundredth."""

    def turned(encoder: ConvNet) -> float:
        [(convolution, _)] = normalised_convolutions(encoder)
        loss = encoder.train().blocks(IMAGES)[0].square()[:, 0].mean()
        (gradient,) = torch.autograd.grad(loss, convolution.weight)
        return (gradient.norm() / convolution.weight.norm()).item()

    torch.manual_seed(0)
    small = ConvNet(widths=[8], side=64)
    inflated = rescale(small, [10 * kernel_norms(small)[0]])
    assert turned(small) / turned(inflated) == pytest.approx(100, rel=0.02)


@pytest.mark.parametrize(
    ("norms", "said"), [([1.0], "expected 2 norms"), ([1.0, 0.0], "above 0"), ([1.0, 1.0, 1.0], "expected 2 norms")]
)
def test_norms_that_do_not_fit_are_refused(norms: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rescale(ConvNet(widths=[8, 16], side=64), norms)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8)), "no batch normalisation follows"),
        (nn.Sequential(nn.Conv2d(3, 8, 3)), "no batch normalisation follows"),
        (nn.Sequential(nn.Linear(3, 8)), "no convolution"),
    ],
)
def test_networks_in_which_scales_matter_are_refused(network: nn.Module, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        normalised_convolutions(network)
