import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.image import data_dependent_init
from selfsup.methods.image.data_dependent_init import DataDependentInit
from selfsup.networks.alexnet import AlexNet
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder
from selfsup.networks.rescaling import normalised_convolutions
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

ARGUMENTS = {"images": 64, "clustered": 2, "patches": 2000, "bias": 0.1}
NETWORK = {"widths": [8, 16, 32], "side": 16}
NEAR = {"atol": 0.01, "rtol": 0}  # running variances are those of a sample: divided by n - 1


def fitted(source, arguments: dict = ARGUMENTS) -> DataDependentInit:
    method = build(DataDependentInit, arguments, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, DataDependentInit)
    assert pretrain(method, source, None, seed=0, device="cpu") == []
    return method


def before_relus(encoder: Encoder, images: Tensor) -> list[Tensor]:
    caught: list[Tensor] = []
    # Copies: a ReLU that works in place comes next.
    keep = [
        normalisation.register_forward_hook(lambda _, __, out: caught.append(out.clone()))
        for _, normalisation in normalised_convolutions(encoder)
    ]
    with torch.no_grad():
        encoder.blocks(images)
    for handle in keep:
        handle.remove()
    return caught


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_channels_have_unit_variance_and_the_bias_for_their_mean(make_source, mode: str) -> None:
    source = make_source(64)
    method = fitted(source)
    images = source.clips[:, 0].float() / 127.5 - 1
    for responses in before_relus(method.encoder.train(mode == "train"), images):
        torch.testing.assert_close(responses.mean(dim=(0, 2, 3)), torch.full((responses.shape[1],), 0.1), **NEAR)
        torch.testing.assert_close(responses.std(dim=(0, 2, 3)), torch.ones(responses.shape[1]), **NEAR)


@pytest.mark.parametrize("encoder", [ConvNet(widths=[8, 16, 32], side=64), AlexNet(side=64)])
def test_layers_change_at_one_rate(encoder: Encoder) -> None:
    images = 2 * torch.rand(16, 3, 64, 64, generator=Generator().manual_seed(0)) - 1
    with torch.no_grad():
        for number, (convolution, _) in enumerate(normalised_convolutions(encoder)):
            convolution.weight *= 3.0**number
    before = torch.tensor(data_dependent_init.rates_of_change(encoder.train(), images, Generator().manual_seed(1)))
    data_dependent_init.equalise(encoder, images, Generator().manual_seed(1))
    after = torch.tensor(data_dependent_init.rates_of_change(encoder, images, Generator().manual_seed(1)))
    assert before.max() / before.min() > 10
    torch.testing.assert_close(after, before.log().mean().exp().expand(len(after)), atol=0, rtol=0.02)


def test_the_rate_of_change_is_that_of_a_difference() -> None:
    """Against the gradient by finite differences, of a network that is small enough to move every weight."""
    torch.manual_seed(0)
    encoder = ConvNet(widths=[2, 2], side=8).double().train()
    images = 2 * torch.rand(4, 3, 8, 8, dtype=torch.float64) - 1
    rates = data_dependent_init.rates_of_change(encoder, images, Generator().manual_seed(1))
    for (convolution, _), rate in zip(normalised_convolutions(encoder), rates, strict=True):
        weight, generator, squares = convolution.weight.detach(), Generator().manual_seed(1), 0.0
        for _ in range(data_dependent_init.PROJECTIONS):
            eta = torch.randn(4, 2, 2, 2, generator=generator)
            for place in itertools.product(*map(range, weight.shape)):
                ends = []
                for step in (1e-5, -1e-5):
                    weight[place] += step
                    with torch.no_grad():
                        ends.append((eta * encoder.blocks(images)[-1]).sum().item())
                    weight[place] -= step
                squares += ((ends[0] - ends[1]) / 2e-5) ** 2
        expected = math.sqrt(squares / data_dependent_init.PROJECTIONS) / weight.norm().item()
        assert rate == pytest.approx(expected, rel=1e-3)


def test_patches_are_what_the_kernels_are_multiplied_by() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 5, kernel_size=(3, 2), stride=(2, 1), padding=(1, 0), bias=False)
    inputs = torch.randn(4, 3, 9, 9)
    patches = data_dependent_init.random_patches(convolution, inputs, 10**6, Generator().manual_seed(0))
    with torch.no_grad():
        responses = convolution(inputs).permute(0, 2, 3, 1).flatten(0, 2)
        ours = patches @ convolution.weight.flatten(1).T
    assert len(patches) == len(responses)
    # In another order: every place once.
    torch.testing.assert_close(ours[ours[:, 0].argsort()], responses[responses[:, 0].argsort()])
    few = data_dependent_init.random_patches(convolution, inputs, 7, Generator().manual_seed(0))
    assert torch.equal(few, patches[:7])


def test_kernels_are_the_clusters_of_the_whitened_patches() -> None:
    """Two kinds of patches, whose difference is drowned by a common direction of much greater variance."""
    generator = Generator().manual_seed(0)
    kind = torch.arange(400) % 2
    common = 100 * torch.randn(400, 1, generator=generator) * torch.tensor([1.0, 1.0, 0.0])
    own = (2 * kind - 1)[:, None] * torch.tensor([1.0, -1.0, 0.0])
    patches = common + own + 0.1 * torch.randn(400, 3, generator=generator) + 5
    kernels = data_dependent_init.clustered_kernels(patches, 2, generator)
    answers = (patches - patches.mean(dim=0)) @ kernels.T
    assert kernels.shape == (2, 3)
    first = answers.argmax(dim=1) == answers.argmax(dim=1)[0]
    by_common = (common[:, 0] > 0) == (common[0, 0] > 0)
    by_kind = kind == kind[0]
    # k = 2 keeps two components: which of the two directions splits the patches is open, that one does is not.
    assert max((first == by_common).float().mean(), (first == by_kind).float().mean()) > 0.95


def test_clustered_kernels_look_like_the_data_and_gaussian_ones_do_not(make_source) -> None:
    """Patches of the source are lit from above: kernels made of them are smoother than noise along a row."""
    source = make_source(64)

    def roughness(clustered: int) -> float:
        [(convolution, _), *_] = normalised_convolutions(fitted(source, {**ARGUMENTS, "clustered": clustered}).encoder)
        kernels = F.normalize(convolution.weight.detach().flatten(1), dim=1)
        between_colours = kernels.view(8, 3, 9)
        return between_colours.mean(dim=2).square().sum().item()

    assert roughness(2) > 1.5 * roughness(0)


def test_equal_seeds_give_equal_weights(make_source) -> None:
    one, other = fitted(make_source(64)).state_dict(), fitted(make_source(64)).state_dict()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_normalisations_train_on_as_before(make_source) -> None:
    momenta = [normalisation.momentum for _, normalisation in normalised_convolutions(fitted(make_source(64)).encoder)]
    assert momenta == [0.1, 0.1, 0.1]


def test_there_is_nothing_to_train(make_source) -> None:
    method = build(DataDependentInit, ARGUMENTS, {"encoder": (ConvNet, NETWORK)}, seed=0)
    with pytest.raises(ValueError, match="does not train"):
        pretrain(method, make_source(64), SHORT, seed=0, device="cpu")


def test_too_few_patches_are_refused(make_source) -> None:
    with pytest.raises(ValueError, match="8 kernels of 5 patches"):
        fitted(make_source(64), {**ARGUMENTS, "patches": 5})
