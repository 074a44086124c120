import math
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor, nn

from selfsup.methods.image.rotation import Rotation
from selfsup.methods.method import Method, Progress
from selfsup.networks.convnet import ConvNet
from selfsup.networks.heads import PooledClassifier
from selfsup.source import Draw, Source, Table
from selfsup.training import NonFiniteLoss, build, derived_seed, pretrain
from tests.selfsup.schedules import SHORT

NETWORK = (ConvNet, {"widths": [8, 16], "side": 16})
NETWORKS = {"encoder": NETWORK}
ROTATION = {"turns": [0, 90, 180, 270], "crop": {"scale": [0.5, 1.0], "ratio": [0.75, 1.333], "flip": 0.5}}


class Recorder(Method):
    """Notes what it is given; its one weight follows a loss that it is told."""

    table = "frames"
    streams = ("frames",)

    def __init__(self, *, encoder: ConvNet, dropout: float = 0.0, infinite_at: int = -1) -> None:
        super().__init__()
        self.encoder = encoder
        self.weight = nn.Parameter(torch.ones(4, 4))
        self.bias = nn.Parameter(torch.ones(4))
        self.dropout = nn.Dropout(dropout)
        self.infinite_at = infinite_at
        self.rows: list[list[int]] = []
        self.indices: list[list[int]] = []
        self.noise: list[float] = []
        self.drawn_at: list[float] = []
        self.done: list[tuple[int, int]] = []

    def draw(self, table: Table, indices: Tensor, generator: Generator, progress: Progress) -> Draw:
        self.drawn_at.append(progress.fraction)
        return super().draw(table, indices, generator, progress)

    def views(self, batch, generator: Generator, progress: Progress) -> int:
        self.rows.append(batch.rows.tolist())
        self.indices.append(batch.indices.tolist())
        self.noise.append(torch.rand((), generator=generator).item())
        return progress.step

    def loss(self, views: int) -> dict[str, Tensor]:
        factor = math.inf if views == self.infinite_at else 1.0
        return {"steady": self.bias.sum(), "wild": self.dropout(self.weight).sum() * factor}

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return {"main": [self.weight, self.bias]}

    def after_step(self, views: int, progress: Progress) -> None:
        self.done.append((views, progress.step))


class Chooser(Recorder):
    """Draws only from every third entry, and knows it again by a column of its own."""

    def fit(self, source: Source, generator: Generator) -> Table:
        table = {name: column[::3] for name, column in source.table.items()}
        return {**table, "class": torch.arange(len(table["row"]))}


class TwoEncoders(Method):
    """An encoder each for two kinds of input, and a head."""

    table = "frames"
    streams = ("frames",)
    trains = False

    def __init__(self, *, vision: ConvNet, sound: ConvNet, classes: int) -> None:
        super().__init__()
        self.vision, self.sound = vision, sound
        self.head = PooledClassifier(vision, classes)


class Adversary(Method):
    """Two players on one number each: both losses depend on both numbers."""

    table = "frames"
    streams = ("frames",)

    def __init__(self, *, encoder: ConvNet, names: tuple[str, str] = ("player/loss", "opponent/loss")) -> None:
        super().__init__()
        self.encoder = encoder
        self.player = nn.Parameter(torch.tensor([[2.0]]))
        self.opponent = nn.Parameter(torch.tensor([[3.0]]))
        self.names = names

    def views(self, batch, generator: Generator, progress: Progress) -> None:
        return None

    def loss(self, views: None) -> dict[str, Tensor]:
        product = (self.player * self.opponent).sum()
        return {self.names[0]: product, self.names[1]: -product}

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return {"player": [self.player], "opponent": [self.opponent]}


def recorder(**arguments) -> Recorder:
    method = build(Recorder, arguments, NETWORKS, seed=0)
    assert isinstance(method, Recorder)
    return method


def same(first: nn.Module, second: nn.Module) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_equal_seeds_give_equal_weights_bit_for_bit(make_source) -> None:
    trained = []
    for seed in (0, 0, 1):
        torch.rand(7 + seed)  # whatever was drawn before must not matter
        method = build(Rotation, ROTATION, NETWORKS, seed)
        rows = pretrain(method, make_source(40), SHORT, seed, "cpu")
        trained.append((method, rows))
    assert same(trained[0][0], trained[1][0])
    assert trained[0][1] == trained[1][1]
    assert not same(trained[0][0], trained[2][0])


def test_building_and_training_leave_the_global_generator_alone(make_source) -> None:
    before = torch.get_rng_state()
    pretrain(recorder(dropout=0.5), make_source(16), SHORT, 0, "cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_follows_from_the_seed(make_source) -> None:
    first, again, other = (recorder(dropout=0.5) for _ in range(3))
    for method, seed in [(first, 0), (again, 0), (other, 1)]:
        pretrain(method, make_source(16), SHORT, seed, "cpu")
    assert same(first, again)
    assert not same(first, other)


def test_a_steps_data_and_randomness_do_not_depend_on_the_length_of_the_run(make_source) -> None:
    short, long = recorder(), recorder()
    pretrain(short, make_source(20), replace(SHORT, steps=3), 0, "cpu")
    pretrain(long, make_source(20), SHORT, 0, "cpu")
    assert short.rows == long.rows[:3]
    assert short.noise == long.noise[:3]
    assert len(set(long.noise)) == 10


def test_an_epoch_shows_every_entry_at_most_once_and_each_epoch_in_another_order(make_source) -> None:
    method = recorder()
    pretrain(method, make_source(20), replace(SHORT, steps=6), 0, "cpu")
    epochs = [[*first, *second] for first, second in zip(method.rows[::2], method.rows[1::2], strict=True)]
    # Twenty entries make two batches of eight; four are left out, other ones in every epoch.
    assert all(len(set(epoch)) == 16 for epoch in epochs)
    assert len({tuple(sorted(epoch)) for epoch in epochs}) == 3


def test_a_batch_larger_than_the_data_is_refused(make_source) -> None:
    with pytest.raises(ValueError, match="a batch of 8 is more than the 5 entries"):
        pretrain(recorder(), make_source(5), SHORT, 0, "cpu")


def test_log_rows_are_means_since_the_row_before(make_source) -> None:
    seen: list[dict[str, float]] = []
    method = recorder()
    schedule = replace(SHORT, momentum=0.0, weight_decay=0.0, decay="step")
    rows = pretrain(method, make_source(16), schedule, 0, "cpu", on_log=seen.append)
    assert seen == rows
    assert [(row["step"], row["images"]) for row in rows] == [(4, 32), (8, 64), (10, 80)]
    # d(bias.sum())/d(bias) = 1: every step takes the rate from each of four biases that start at one.
    steady = [4 * (1 - 0.05 * step) for step in range(10)]
    assert [row["steady"] for row in rows] == pytest.approx(
        [sum(steady[:4]) / 4, sum(steady[4:8]) / 4, sum(steady[8:]) / 2]
    )


def test_draw_is_told_the_progress_and_after_step_the_views_and_the_steps_done(make_source) -> None:
    method = recorder()
    pretrain(method, make_source(16), SHORT, 0, "cpu")
    assert method.drawn_at == pytest.approx([step / 10 for step in range(10)])
    assert method.done == [(step, step + 1) for step in range(10)]


def test_what_is_drawn_is_what_fit_chose(make_source) -> None:
    method = build(Chooser, {}, NETWORKS, seed=0)
    pretrain(method, make_source(30), SHORT, 0, "cpu")
    # Ten of thirty entries: rows are of the index, indices of the chosen table.
    assert {row for rows in method.rows for row in rows} == set(range(0, 30, 3))
    assert [[row // 3 for row in rows] for rows in method.rows] == method.indices


def test_a_batch_is_held_against_what_fit_chose(make_source) -> None:
    with pytest.raises(ValueError, match="a batch of 8 is more than the 7 entries"):
        pretrain(build(Chooser, {}, NETWORKS, seed=0), make_source(21), SHORT, 0, "cpu")


def test_encoders_are_made_by_name_in_the_order_given_and_before_the_method() -> None:
    networks = {"vision": NETWORK, "sound": NETWORK}
    method, wider = (build(TwoEncoders, {"classes": classes}, networks, seed=0) for classes in (2, 3))
    assert list(method.encoders()) == ["vision", "sound"]
    assert not same(method.vision, method.sound)
    assert same(method.vision, wider.vision)
    assert same(method.sound, wider.sound)
    # The order is the mapping's, not the constructor's.
    other = build(TwoEncoders, {"classes": 2}, dict(reversed(networks.items())), seed=0)
    assert same(other.sound, method.vision)
    # An encoder made first does not depend on what is made after it.
    assert same(build(Rotation, ROTATION, NETWORKS, seed=0).encoder, method.vision)


def test_a_loss_that_is_not_finite_is_named_with_its_steps(make_source) -> None:
    with pytest.raises(NonFiniteLoss, match=r"the loss wild became .* in step 6 of 10"):
        pretrain(recorder(infinite_at=5), make_source(16), SHORT, 0, "cpu")


def test_a_loss_that_is_not_finite_is_found_at_the_end(make_source) -> None:
    with pytest.raises(NonFiniteLoss, match="in step 10 of 10"):
        pretrain(recorder(infinite_at=9), make_source(16), SHORT, 0, "cpu")


def test_weight_decay_spares_biases(make_source) -> None:
    method = recorder()
    schedule = replace(SHORT, steps=1, learning_rate=0.5, momentum=0.0, weight_decay=0.2, decay="step")
    pretrain(method, make_source(16), schedule, 0, "cpu")
    torch.testing.assert_close(method.bias.data, torch.full((4,), 1 - 0.5))
    torch.testing.assert_close(method.weight.data, torch.full((4, 4), 1 - 0.5 * (1 + 0.2)))


def test_a_groups_loss_moves_only_its_own_parameters(make_source) -> None:
    method = build(Adversary, {}, NETWORKS, seed=0)
    schedule = replace(SHORT, steps=1, learning_rate=0.1, weight_decay=0.0, decay="step")
    rows = pretrain(method, make_source(16), schedule, 0, "cpu")
    # The player descends on the product, 2 - .1 * 3; the opponent ascends on it, 3 + .1 * 2.
    assert method.player.item() == pytest.approx(1.7)
    assert method.opponent.item() == pytest.approx(3.2)
    assert rows[0]["player/loss"] == 6
    assert rows[0]["opponent/loss"] == -6


def test_losses_without_parameters_are_refused(make_source) -> None:
    method = build(Adversary, {"names": ("player/loss", "loss")}, NETWORKS, seed=0)
    with pytest.raises(ValueError, match=r"groups \['main', 'player'\].*\['opponent', 'player'\]"):
        pretrain(method, make_source(16), SHORT, 0, "cpu")


def test_adamw_and_bf16_train(make_source) -> None:
    schedule = replace(SHORT, steps=20, optimiser="adamw", learning_rate=0.01, precision="bf16", log_every=5)
    method = build(Rotation, ROTATION, NETWORKS, seed=0)
    rows = pretrain(method, make_source(64), schedule, 0, "cpu")
    assert rows[-1]["rotation"] < rows[0]["rotation"]
    assert all(parameter.dtype == torch.float32 for parameter in method.parameters())


def test_convolutions_are_trained_in_the_layout_that_is_fast_for_them(make_source) -> None:
    method = build(Rotation, ROTATION, NETWORKS, seed=0)
    pretrain(method, make_source(16), replace(SHORT, steps=1), 0, "cpu")
    kernels = [one.weight for one in method.modules() if isinstance(one, nn.Conv2d)]
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    assert method.head.linear.weight.is_contiguous()


def test_the_rate_warms_up_linearly_and_falls_along_a_cosine() -> None:
    schedule = replace(SHORT, steps=12, learning_rate=1.0, warmup_steps=4)
    rates = [schedule.rate(step) for step in range(12)]
    assert rates[:5] == pytest.approx([0.25, 0.5, 0.75, 1, 1])
    assert rates[8] == pytest.approx(0.5)
    assert rates[11] == pytest.approx(0.5 * (1 + math.cos(math.pi * 7 / 8)))


def test_the_rate_falls_in_steps_at_fractions_of_the_run() -> None:
    schedule = replace(SHORT, steps=9, learning_rate=1.0, decay="step", decay_at=(1 / 3, 2 / 3))
    rates = [schedule.rate(step) for step in range(9)]
    assert rates == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01])


@pytest.mark.parametrize(
    "mistake",
    [
        {"optimiser": "adagrad"},
        {"decay": "linear"},
        {"precision": "fp16"},
        {"steps": 0},
        {"warmup_steps": 10},
        {"watch_every": -1},
    ],
)
def test_a_schedule_that_cannot_be_meant_is_refused(mistake: dict) -> None:
    with pytest.raises(ValueError, match=f"schedule: {next(iter(mistake))}"):
        replace(SHORT, **mistake)


def test_seeds_of_other_purposes_steps_and_runs_differ() -> None:
    seeds = {derived_seed(seed, purpose, step) for seed in (0, 1) for purpose in ("a", "b") for step in range(50)}
    assert len(seeds) == 200
