"""A run that is cut off and goes on ends where an unbroken one does."""

from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import Generator, Tensor, nn

from selfsup.methods.image.rotation import Rotation
from selfsup.methods.method import Method, Progress
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder
from selfsup.training import Checkpoint, NonFiniteLoss, build, pretrain
from selfsup.training.checkpoint import Run
from selfsup.training.loop import _check
from tests.selfsup.schedules import SHORT

NETWORKS = {"encoder": (ConvNet, {"widths": [8, 16], "side": 16})}
ROTATION = {"turns": [0, 90, 180, 270], "crop": {"scale": [0.5, 1.0], "ratio": [0.75, 1.333], "flip": 0.5}}
SCHEDULE = replace(SHORT, checkpoint_every=3)


class Adversaries(Method):
    """Two groups of parameters, dropout, a queue in a buffer that no state_dict holds, and a moving average."""

    table = "frames"
    streams = ("frames",)

    def __init__(self, *, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.teacher = ConvNet(widths=[8, 16], side=16).requires_grad_(False)
        self.opponent = nn.Sequential(nn.Dropout(0.5), nn.Linear(16, 4))
        self.register_buffer("queue", torch.zeros(4, 16), persistent=False)

    def views(self, batch, generator: Generator, progress: Progress) -> Tensor:
        images = self.encoder.prepare(batch.streams)
        return images + 0.1 * torch.randn(images.shape, generator=generator)

    def loss(self, views: Tensor) -> dict[str, Tensor]:
        features = self.encoder.blocks(views)[-1].mean(dim=(2, 3))
        self.latest = features.detach()
        matched = ((features - self.teacher.blocks(views)[-1].mean(dim=(2, 3))) ** 2).mean()
        told = self.opponent(features).logsumexp(dim=1).mean()
        return {"main/match": matched + 0.1 * (features @ self.queue.T).pow(2).mean() - told, "opponent/told": told}

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return {"main": list(self.encoder.parameters()), "opponent": list(self.opponent.parameters())}

    def after_step(self, views: Tensor, progress: Progress) -> None:
        self.queue = torch.cat([self.latest[:2], self.queue[:2]])
        with torch.no_grad():
            for slow, fast in zip(self.teacher.parameters(), self.encoder.parameters(), strict=True):
                slow.lerp_(fast, 0.1)


def made(kind: str) -> Method:
    return build(Rotation, ROTATION, NETWORKS, 0) if kind == "rotation" else build(Adversaries, {}, NETWORKS, 0)


def state(method: Method) -> dict[str, Tensor]:
    return dict(method.named_parameters()) | dict(method.named_buffers())


def equal(first: Method, second: Method) -> bool:
    theirs = state(second)
    return all(torch.equal(value, theirs[name]) for name, value in state(first).items())


@pytest.mark.parametrize("kind", ["rotation", "adversaries"])
@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_a_resumed_run_ends_in_the_same_weights_bit_for_bit(
    make_source, kind: str, optimiser: Literal["sgd", "adamw"]
) -> None:
    schedule, taken = replace(SCHEDULE, optimiser=optimiser, learning_rate=0.01), list[Checkpoint]()
    whole = made(kind)
    rows = pretrain(whole, make_source(20), schedule, 0, "cpu", on_checkpoint=taken.append)
    assert [one.step for one in taken] == [3, 6, 9]
    for checkpoint in taken:
        resumed = made(kind)
        again = list[Checkpoint]()
        assert (
            pretrain(resumed, make_source(20), schedule, 0, "cpu", resume=checkpoint, on_checkpoint=again.append)
            == rows
        )
        assert equal(resumed, whole)
        assert [one.step for one in again] == [step for step in (3, 6, 9) if step > checkpoint.step]


def test_taking_checkpoints_changes_nothing(make_source) -> None:
    with_them, without = made("adversaries"), made("adversaries")
    rows = pretrain(with_them, make_source(20), SCHEDULE, 0, "cpu", on_checkpoint=lambda _: None)
    assert rows == pretrain(without, make_source(20), replace(SCHEDULE, checkpoint_every=0), 0, "cpu")
    assert equal(with_them, without)


def test_a_checkpoint_is_not_changed_by_what_comes_after_it(make_source) -> None:
    taken = list[tuple[Checkpoint, float]]()

    def total(checkpoint: Checkpoint) -> float:
        return sum(value.double().abs().sum().item() for value in checkpoint.tensors.values())

    pretrain(
        made("rotation"),
        make_source(20),
        replace(SCHEDULE, optimiser="adamw"),
        0,
        "cpu",
        on_checkpoint=lambda one: taken.append((one, total(one))),
    )
    pretrain(made("rotation"), make_source(20), replace(SCHEDULE, optimiser="adamw"), 0, "cpu", resume=taken[0][0])
    assert [total(checkpoint) for checkpoint, _ in taken] == [before for _, before in taken]


def test_a_checkpoint_of_another_method_is_refused(make_source) -> None:
    taken = list[Checkpoint]()
    pretrain(made("rotation"), make_source(20), SCHEDULE, 0, "cpu", on_checkpoint=taken.append)
    with pytest.raises(ValueError, match="the checkpoint is of another method: method/"):
        pretrain(made("adversaries"), make_source(20), SCHEDULE, 0, "cpu", resume=taken[0])
    wider = build(Rotation, ROTATION, {"encoder": (ConvNet, {"widths": [8, 24], "side": 16})}, 0)
    with pytest.raises(ValueError, match=r"another method: method/encoder\.stages\.1\.0\.weight differs"):
        pretrain(wider, make_source(20), SCHEDULE, 0, "cpu", resume=taken[0])


class Steep(Method):
    """Its loss is finite where its slope is not."""

    table = "frames"
    streams = ("frames",)

    def __init__(self, *, encoder: Encoder, at: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.weight = nn.Parameter(torch.ones(1, 1))
        self.at = at

    def views(self, batch, generator: Generator, progress: Progress) -> int:
        return progress.step

    def loss(self, views: int) -> dict[str, Tensor]:
        factor = 0.0 if views == self.at else 1.0
        return {"root": (self.weight.abs() * factor).sqrt().sum()}

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return {"main": [self.weight]}


@pytest.mark.parametrize(
    ("at", "message", "kept"),
    [
        (4, "the loss root became infinite or not a number in step 6 of 10", [3]),
        (5, "a weight became infinite or not a number in step 6 of 10", [3]),
        (7, "a weight became infinite or not a number in step 8 of 10", [3, 6]),
        (9, "a weight became infinite or not a number in step 10 of 10", [3, 6, 9]),
    ],
)
def test_no_checkpoint_holds_weights_that_are_not_finite(make_source, at: int, message: str, kept: list[int]) -> None:
    taken = list[Checkpoint]()
    with pytest.raises(NonFiniteLoss, match=message):
        pretrain(build(Steep, {"at": at}, NETWORKS, 0), make_source(20), SCHEDULE, 0, "cpu", on_checkpoint=taken.append)
    assert [one.step for one in taken] == kept
    assert all(torch.isfinite(value).all() for one in taken for value in one.tensors.values())


def test_where_steps_are_not_looked_at_one_by_one_the_range_is_named() -> None:
    """As on a GPU, where a row or a checkpoint was last due at step 6."""
    method = build(Steep, {"at": -1}, NETWORKS, 0)
    optimisers = {"main": torch.optim.SGD(method.groups()["main"], lr=0.1)}
    run = Run(method, optimisers, step=8, checked=6, sums={"root": torch.tensor(torch.nan)})
    with pytest.raises(NonFiniteLoss, match="the loss root became infinite or not a number in steps 7 to 8 of 10"):
        _check(run, SCHEDULE)
