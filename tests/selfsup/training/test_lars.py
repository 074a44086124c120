"""LARS moves weights as its equations say, leaves biases to plain momentum, and survives a checkpoint."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from selfsup.methods.image.rotation import Rotation
from selfsup.networks.convnet import ConvNet
from selfsup.training import Checkpoint, build, pretrain
from selfsup.training.lars import LARS
from selfsup.training.schedule import optimiser
from tests.selfsup.schedules import SHORT

SCHEDULE = replace(SHORT, optimiser="lars", learning_rate=2.0, momentum=0.5, weight_decay=0.1)


def stepped(weight: Tensor, gradients: list[Tensor]) -> Tensor:
    parameter = nn.Parameter(weight.clone())
    one = optimiser([parameter], SCHEDULE)
    for gradient in gradients:
        parameter.grad = gradient.clone()
        one.step()
    return parameter.detach()


def test_a_step_worked_by_hand() -> None:
    # |w| = 5. g + .1 w = (.3, .4) + (.3, .4), of length 1; so the rate is 2 * .001 * 5 / 1 = .01.
    weight, gradient = torch.tensor([[3.0, 4.0]]), torch.tensor([[0.3, 0.4]])
    torch.testing.assert_close(stepped(weight, [gradient]), torch.tensor([[3 - 0.006, 4 - 0.008]]))


def test_several_steps_are_those_of_the_equations() -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 4, generator=generator)
    gradients = [torch.randn(3, 4, generator=generator) for _ in range(4)]
    weight, velocity = start.clone(), torch.zeros(3, 4)
    for given in gradients:
        gradient = given + 0.1 * weight
        ratio = 0.001 * weight.square().sum().sqrt() / gradient.square().sum().sqrt()
        velocity = 0.5 * velocity + 2.0 * ratio * gradient
        weight = weight - velocity
    torch.testing.assert_close(stepped(start, gradients), weight)


def test_the_size_of_a_gradient_does_not_matter_to_weights() -> None:
    weight = torch.tensor([[3.0, 4.0]])
    one = replace(SCHEDULE, weight_decay=0.0)
    moved = []
    for factor in (1.0, 1000.0):
        parameter = nn.Parameter(weight.clone())
        chosen = optimiser([parameter], one)
        parameter.grad = factor * torch.tensor([[1.0, -2.0]])
        chosen.step()
        moved.append(parameter.detach())
    torch.testing.assert_close(moved[0], moved[1])
    assert not torch.equal(moved[0], weight)


def test_biases_and_normalisations_have_neither_decay_nor_a_rate_of_their_own() -> None:
    # Plain SGD: 1 - 2 * .25.
    torch.testing.assert_close(stepped(torch.ones(2), [torch.full((2,), 0.25)]), torch.full((2,), 0.5))


@pytest.mark.parametrize(("weight", "gradient"), [(0.0, 1.0), (1.0, 0.0)])
def test_a_norm_of_zero_leaves_the_rate_as_it_is(weight: float, gradient: float) -> None:
    parameter = nn.Parameter(torch.full((1, 1), weight))
    parameter.grad = torch.full((1, 1), gradient)
    LARS([{"params": [parameter]}], lr=0.5, momentum=0.9, trust=0.001).step()
    assert parameter.item() == weight - 0.5 * gradient


def test_a_resumed_run_ends_in_the_same_weights_bit_for_bit(make_source) -> None:
    def made() -> Rotation:
        crop = {"scale": (0.5, 1.0), "ratio": (0.75, 1.333), "flip": 0.5}
        networks = {"encoder": (ConvNet, {"widths": [8, 16], "side": 16})}
        method = build(Rotation, {"turns": [0, 90, 180, 270], "crop": crop}, networks, 0)
        assert isinstance(method, Rotation)
        return method

    schedule, taken = replace(SCHEDULE, checkpoint_every=4), list[Checkpoint]()
    whole = made()
    rows = pretrain(whole, make_source(20), schedule, 0, "cpu", on_checkpoint=taken.append)
    kept = {name.rpartition("/")[2] for name in taken[0].tensors if name.startswith("optimiser/")}
    assert kept == {"momentum_buffer"}
    for checkpoint in taken:
        resumed = made()
        assert pretrain(resumed, make_source(20), schedule, 0, "cpu", resume=checkpoint) == rows
        theirs = resumed.state_dict()
        assert all(torch.equal(value, theirs[name]) for name, value in whole.state_dict().items())
