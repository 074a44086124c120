"""Somebody who looks at the encoders while they are trained changes nothing of them."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import nn

from selfsup.methods.image.rotation import Rotation
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder
from selfsup.probes.watch import ClipWatch, Neighbours
from selfsup.training import LogRow, Schedule, build, pretrain

NETWORKS = {"encoder": (ConvNet, {"widths": [8, 16], "side": 16})}
ROTATION = {"turns": [0, 90, 180, 270], "crop": {"scale": [0.5, 1.0], "ratio": [0.75, 1.333], "flip": 0.5}}
SCHEDULE = Schedule(
    steps=10,
    batch_size=8,
    optimiser="adamw",
    learning_rate=0.01,
    momentum=0.9,
    weight_decay=0.05,
    warmup_steps=0,
    decay="cosine",
    decay_at=(),
    decay_factor=0.1,
    precision="fp32",
    log_every=5,
    checkpoint_every=0,
    watch_every=4,
)


class Dropping(ConvNet):
    """Draws from the global generator where it is trained."""

    def blocks(self, x: torch.Tensor) -> list[torch.Tensor]:
        *shallow, last = super().blocks(x)
        return [*shallow, nn.functional.dropout(last, training=self.training)]


def test_with_and_without_a_watch_weights_are_equal_bit_for_bit(make_source) -> None:
    train, validation = make_source(40, table="clips"), make_source(20, table="clips", seed=1)
    watch = ClipWatch(validation, torch.arange(20), Neighbours(train, torch.arange(40), "colour", 5, 0.07))
    networks = {"encoder": (Dropping, {"widths": [8, 16], "side": 16})}
    watched, alone = (build(Rotation, ROTATION, networks, 0) for _ in range(2))
    before = torch.get_rng_state()
    rows = pretrain(watched, make_source(40), SCHEDULE, 0, "cpu", watch=watch)
    assert torch.equal(torch.get_rng_state(), before)
    pretrain(alone, make_source(40), SCHEDULE, 0, "cpu")
    theirs = alone.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in watched.state_dict().items())
    assert {row["step"]: "knn_top1" in row for row in rows} == {4: True, 5: False, 8: True, 10: True}


@pytest.mark.parametrize(("every", "steps"), [(0, []), (4, [4, 8, 10]), (100, [10])])
def test_a_watch_looks_when_it_is_due_and_at_the_end(make_source, every: int, steps: list[int]) -> None:
    modes: list[bool] = []

    def look(encoders: Mapping[str, Encoder], device: str) -> LogRow:
        modes.append(encoders["encoder"].training)
        torch.rand(3)
        return {"seen": float(len(modes))}

    method = build(Rotation, ROTATION, NETWORKS, 0)
    method.encoder.stages[0].eval()  # a part that its method keeps out of training
    rows = pretrain(method, make_source(40), replace(SCHEDULE, watch_every=every), 0, "cpu", watch=look)
    assert [row["step"] for row in rows if "seen" in row] == steps
    assert modes == [False] * len(steps)


def test_means_are_over_the_steps_since_the_row_before_also_where_the_watch_made_it(make_source) -> None:
    def rows(watch_every: int) -> list[LogRow]:
        schedule = replace(SCHEDULE, watch_every=watch_every, log_every=1 if not watch_every else 100)
        method = build(Rotation, ROTATION, NETWORKS, 0)
        return pretrain(method, make_source(40), schedule, 0, "cpu", watch=lambda encoders, device: {})

    each = [row["rotation"] for row in rows(0)]
    assert [row["rotation"] for row in rows(4)] == pytest.approx(
        [sum(each[:4]) / 4, sum(each[4:8]) / 4, sum(each[8:]) / 2], rel=1e-5
    )
