import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.instdisc import Instances, InstDisc
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import Checkpoint, build, pretrain
from tests.selfsup.schedules import SHORT

START = Progress(0, 1)
PLAIN = {
    "dims": 16,
    "temperature": 0.1,
    "objective": "cross_entropy",
    "negatives": 0,
    "bank_momentum": 0.5,
    "pictures": 0,
    "crop": {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0},
    "colours": {"brightness": 0.1, "contrast": 0.0, "saturation": 0.0, "hue": 0.0, "jitter": 1.0, "grayscale": 0.0},
}
LEARNING = replace(SHORT, optimiser="adamw", steps=100, batch_size=32, log_every=20, learning_rate=0.003)


def instdisc(**changes) -> InstDisc:
    networks = {"encoder": (ConvNet, {"widths": [8, 16, 32], "side": 16})}
    method = build(InstDisc, PLAIN | changes, networks, seed=0)
    assert isinstance(method, InstDisc)
    return method


def views_of(method: InstDisc, source, indices: list[int]) -> Instances:
    batch = source.take(method.draw(source.table, torch.tensor(indices), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_the_bank_has_a_vector_of_each_entry_and_those_drawn_move(make_source) -> None:
    method, source = instdisc(), make_source(10, frames=2)
    method.fit(source, Generator().manual_seed(0))
    assert method.bank.vectors.shape == (20, 16)
    before = method.bank.vectors.clone()
    views = views_of(method, source, [13, 2, 5])
    loss = method.loss(views)["instance"]
    torch.testing.assert_close(loss, method.bank.loss(method.embedded(views.images), torch.tensor([13, 2, 5]), None))
    method.after_step(views, Progress(1, 10))
    moved = (method.bank.vectors != before).any(dim=1).nonzero().flatten().tolist()
    assert moved == [2, 5, 13]


def test_the_bank_has_only_the_pictures_that_are_drawn(make_source) -> None:
    method = instdisc(pictures=12)
    table = method.fit(make_source(20), Generator().manual_seed(0))
    assert len(table["row"]) == len(method.bank.vectors) == 12


def test_another_view_is_made_only_to_be_told(make_source) -> None:
    method, source = instdisc(), make_source(6)
    assert views_of(method, source, [0, 1]).again is None
    views = views_of(method.eval(), source, [0, 1])
    assert views.again is not None
    assert not torch.equal(views.again, views.images)


@pytest.mark.parametrize("objective", ["cross_entropy", "nce"])
def test_a_resumed_run_ends_in_the_same_weights_and_bank_bit_for_bit(make_source, objective: str) -> None:
    schedule, taken = replace(SHORT, checkpoint_every=4), list[Checkpoint]()
    whole, resumed = (instdisc(objective=objective, negatives=5) for _ in range(2))
    pretrain(whole, make_source(20), schedule, 0, "cpu", on_checkpoint=taken.append)
    pretrain(resumed, make_source(20), schedule, 0, "cpu", resume=taken[0])
    assert torch.equal(whole.bank.vectors, resumed.bank.vectors)
    theirs = resumed.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in whole.state_dict().items())


def test_training_brings_the_full_softmax_well_below_chance_and_the_other_view_is_told(make_source) -> None:
    method, source = instdisc(), make_source(64)
    rows = pretrain(method, source, LEARNING, seed=0, device="cpu")
    assert rows[0]["instance"] > rows[-1]["instance"]
    assert rows[-1]["instance"] < 0.5 * math.log(64)
    answers = method.pretext(views_of(method, source, list(range(64))))
    assert answers.labels is not None
    assert answers.scores is not None
    assert (answers.scores.argmax(dim=1) == answers.labels).float().mean() > 0.5


def test_training_with_nce_brings_the_softmax_down_too(make_source) -> None:
    # A higher rate has all vectors flee from the bank in one direction, and the bank follow.
    method, source = instdisc(objective="nce", negatives=4, temperature=0.07), make_source(64)
    pretrain(method, source, replace(LEARNING, steps=200, learning_rate=0.001), seed=0, device="cpu")
    views = views_of(method, source, list(range(64)))
    assert method.bank.loss(method.embedded(views.images), views.indices, None).item() < 0.6 * math.log(64)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="nce takes 1 or more negatives: 0"):
        instdisc(objective="nce")
