import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.moco import MoCo, QueriesAndKeys, info_nce, risen
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import Checkpoint, build, pretrain
from tests.selfsup.schedules import SHORT

START = Progress(0, 1)
WHOLE = {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0}
# A jitter so weak that views of a picture hardly differ.
WEAK = {"brightness": 0.05, "contrast": 0.0, "saturation": 0.0, "hue": 0.0, "jitter": 1.0, "grayscale": 0.0}
PLAIN = {
    "temperature": 0.2,
    "layers": 2,
    "hidden": 32,
    "dims": 16,
    "queue": 20,
    "momentum": 0.9,
    "final_momentum": 0.9,
    "groups": 1,
    "crop": WHOLE,
    "colours": WEAK,
    "blur": {"probability": 0.0, "sigma": (0.1, 2.0)},
}


def moco(**changes) -> MoCo:
    networks = {"encoder": (ConvNet, {"widths": [8, 16, 32], "side": 16})}
    method = build(MoCo, PLAIN | changes, networks, seed=0)
    assert isinstance(method, MoCo)
    return method


def views_of(method: MoCo, source, count: int = 8) -> QueriesAndKeys:
    batch = source.take(method.draw(source.table, torch.arange(count), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_info_nce_is_equation_1() -> None:
    queries, keys = torch.nn.functional.normalize(torch.randn(2, 4, 5), dim=2)
    negatives = torch.nn.functional.normalize(torch.randn(7, 5), dim=1)
    losses = []
    for query, key in zip(queries, keys, strict=True):
        weights = [math.exp((query @ other).item() / 0.3) for other in [key, *negatives]]
        losses.append(-math.log(weights[0] / sum(weights)))
    assert info_nce(queries, keys, negatives, 0.3).item() == pytest.approx(sum(losses) / 4, rel=1e-5)


def test_momentum_rises_along_half_a_cosine() -> None:
    assert [risen(0.9, 1.0, at) for at in (0.0, 0.5, 1.0)] == pytest.approx([0.9, 0.95, 1.0])
    assert risen(0.9, 1.0, 0.25) == pytest.approx(1 - 0.1 * (1 + math.sqrt(0.5)) / 2)
    assert risen(0.99, 0.99, 0.3) == pytest.approx(0.99)


def test_only_the_trained_encoder_is_handed_on_and_trained() -> None:
    method = moco()
    assert list(method.encoders()) == ["encoder"]
    trained = {name for name, parameter in method.named_parameters() if parameter.requires_grad}
    assert {name.split(".")[0] for name in trained} == {"encoder", "head"}
    assert len(method.groups()["main"]) == len(trained)


def test_the_momentum_encoder_begins_with_what_the_encoder_begins_with() -> None:
    method = moco()
    method.begin_with("encoder", {"encoder": ConvNet(widths=[8, 16, 32], side=16)})
    for slow, fast in zip(method.slow["encoder"].parameters(), method.encoder.parameters(), strict=True):
        assert torch.equal(slow, fast)


def test_the_momentum_encoder_follows_by_equation_2(make_source) -> None:
    method = moco(momentum=0.75, final_momentum=0.75)
    views = views_of(method, make_source(8))
    method.loss(views)
    with torch.no_grad():
        for parameter in method.groups()["main"]:
            parameter += 1
    before = [parameter.clone() for parameter in method.slow.parameters()]
    method.after_step(views, Progress(1, 10))
    for old, slow, fast in zip(before, method.slow.parameters(), method.groups()["main"], strict=True):
        torch.testing.assert_close(slow, 0.75 * old + 0.25 * fast)
        assert not slow.requires_grad


def test_keys_take_the_places_of_the_oldest(make_source) -> None:
    method = moco(queue=20)
    views = views_of(method, make_source(8))
    before = method.queue.clone()
    kept = []
    for step in range(3):
        method.loss(views)
        kept.append(method.latest)
        method.after_step(views, Progress(step + 1, 10))
        if step == 0:
            assert torch.equal(method.queue[:8], kept[0])
            assert torch.equal(method.queue[8:], before[8:])
    # 24 keys in 20 places: the last four are at the front.
    assert torch.equal(method.queue, torch.cat([kept[2][4:], kept[0][4:], kept[1], kept[2][:4]]))
    assert method.oldest.item() == 4


def test_a_batch_larger_than_the_queue_leaves_its_last_keys(make_source) -> None:
    method = moco(queue=5)
    views = views_of(method, make_source(8))
    method.loss(views)
    latest = method.latest
    method.after_step(views, Progress(1, 10))
    assert torch.equal(method.queue, latest[3:])


def test_keys_come_back_in_the_queries_order_and_groups_have_statistics_of_their_own(make_source) -> None:
    source = make_source(8)
    whole, parted = moco(), moco(groups=2)
    views = views_of(whole, source)
    # As a whole, the order changes nothing; at first the momentum encoder is the encoder.
    torch.testing.assert_close(whole.keyed(views.keys, views.order), whole.queried(views.keys))
    keys = parted.keyed(views.keys, views.order)
    for part in views.order.chunk(2):
        torch.testing.assert_close(keys[part], whole.queried(views.keys[part]))
    assert (keys - whole.queried(views.keys)).abs().max() > 0.01


def test_no_gradient_reaches_keys(make_source) -> None:
    method = moco()
    views = views_of(method, make_source(8))
    method.loss(views)["info_nce"].backward()
    assert all(parameter.grad is None for parameter in method.slow.parameters())
    assert all(parameter.grad is not None for parameter in method.groups()["main"])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("momentum", 1.5, "momentum must be from 0 to 1, not 1.5"),
        ("queue", 0, "queue must be at least 1, not 0"),
        ("groups", 0, "groups must be at least 1, not 0"),
    ],
)
def test_wrong_arguments_are_refused(name: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        moco(**{name: value})


def test_a_resumed_run_ends_in_the_same_weights_and_queue_bit_for_bit(make_source) -> None:
    schedule, taken = replace(SHORT, checkpoint_every=4), list[Checkpoint]()
    whole = moco(groups=2)
    pretrain(whole, make_source(20), schedule, 0, "cpu", on_checkpoint=taken.append)
    resumed = moco(groups=2)
    pretrain(resumed, make_source(20), schedule, 0, "cpu", resume=taken[0])
    theirs = resumed.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in whole.state_dict().items())


def test_training_brings_the_loss_well_below_chance_and_the_other_view_is_told(make_source) -> None:
    # A short queue, so that few of its keys are of the batch's own pictures.
    method, source = moco(queue=32), make_source(64)
    schedule = replace(SHORT, optimiser="adamw", steps=80, batch_size=16, log_every=20, learning_rate=0.005)
    rows = pretrain(method, source, schedule, seed=0, device="cpu")
    assert rows[0]["info_nce"] > rows[-1]["info_nce"]
    assert rows[-1]["info_nce"] < 0.6 * math.log(33)
    answers = method.pretext(views_of(method, source, 64))
    assert answers.labels is not None
    assert answers.scores is not None
    assert (answers.scores.argmax(dim=1) == answers.labels).float().mean() > 0.5
