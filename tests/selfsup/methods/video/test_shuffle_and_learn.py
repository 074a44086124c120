"""Which three of a tuple's five frames are shown, in which order, and how they are cropped."""

import pytest
import torch
from torch import Generator

from selfsup.methods.method import Progress
from selfsup.methods.video.shuffle_and_learn import ShuffleAndLearn, hidden
from selfsup.networks.per_frame import PerFrameConvNet
from selfsup.source import TUPLE_STRATEGIES, Batch, Table
from selfsup.training import build

NETWORK = {"widths": [4, 8], "side": 16, "frames": 3, "seconds": 1.0, "contrast": 0.0, "stabilised": False}
ARGUMENTS = {
    "strategy": "motion",
    "shown": "all",
    "positives": 0.25,
    "backwards": 0.5,
    "grid": 2,
    "hidden": 8,
    "joint": 8,
    "crop": {"scale": (0.3, 0.7), "ratio": (0.75, 1.333), "flip": 0.5},
}
START = Progress(0, 1)
COUNT = 6000


def shuffle_and_learn(**changes) -> ShuffleAndLearn:
    method = build(ShuffleAndLearn, {**ARGUMENTS, **changes}, {"encoder": (PerFrameConvNet, NETWORK)}, seed=0)
    assert isinstance(method, ShuffleAndLearn)
    return method


def tuples(count: int = COUNT) -> Table:
    """Five times each, that no other tuple has."""
    first = torch.arange(count, dtype=torch.float64)
    letters = {letter: first + place / 10 for place, letter in enumerate("abcde")}
    return {"row": torch.arange(count), "strategy": torch.arange(count) % len(TUPLE_STRATEGIES), **letters}


def drawn(method: ShuffleAndLearn) -> tuple[list[str], list[int]]:
    """What is shown of each tuple, as letters, and whether it is said to be in order."""
    draw = method.draw(tuples(), torch.arange(COUNT), Generator().manual_seed(0), START)
    places = (draw.times["frames"] - torch.arange(COUNT)[:, None]) * 10
    words = ["".join("abcde"[round(place)] for place in row) for row in places.tolist()]
    return words, draw.targets["in_order"].tolist()


def test_shown_are_the_three_of_the_paper_and_their_reverses() -> None:
    words, in_order = drawn(shuffle_and_learn())
    assert {word for word, right in zip(words, in_order, strict=True) if right} == {"bcd", "dcb"}
    assert {word for word, right in zip(words, in_order, strict=True) if not right} == {"bad", "dab", "bed", "deb"}


@pytest.mark.parametrize("positives", [0.25, 0.5])
def test_as_many_are_in_order_as_is_asked_for(positives: float) -> None:
    words, in_order = drawn(shuffle_and_learn(positives=positives))
    assert sum(in_order) / COUNT == pytest.approx(positives, abs=0.02)
    # The two that are not in order are as likely, and half of all are shown backwards, whatever the answer.
    assert sum("a" in word for word in words) / COUNT == pytest.approx((1 - positives) / 2, abs=0.02)
    for answer in (0, 1):
        backwards = [word[0] == "d" for word, right in zip(words, in_order, strict=True) if right == answer]
        assert sum(backwards) / len(backwards) == pytest.approx(0.5, abs=0.04)


def test_nothing_is_shown_backwards_unless_asked_for() -> None:
    words, _ = drawn(shuffle_and_learn(backwards=0))
    assert {word[0] for word in words} == {"b"}


def test_the_three_frames_share_one_crop_and_tuples_have_their_own() -> None:
    picture = torch.randint(256, (3, 16, 16), dtype=torch.uint8, generator=Generator().manual_seed(0))
    order = torch.tensor([1, 0, 1, 0])
    batch = Batch(
        indices=torch.arange(4),
        rows=torch.arange(4),
        parents=torch.arange(4),
        streams={"frames": picture.expand(4, 3, 3, 16, 16)},
        labels={},
        targets={"in_order": order},
    )
    views = shuffle_and_learn().views(batch, Generator().manual_seed(0), START)
    assert views.images.shape == (4, 3, 3, 16, 16)
    assert torch.equal(views.in_order, order)
    torch.testing.assert_close(views.images, views.images[:, :1].expand_as(views.images))
    for other in range(1, 4):
        assert not torch.allclose(views.images[0], views.images[other], atol=0.05)


def test_tuples_of_the_other_strategy_are_left_out(make_source) -> None:
    source = make_source(3)
    source.table = tuples(10)
    for number, strategy in enumerate(TUPLE_STRATEGIES):
        table = shuffle_and_learn(strategy=strategy).fit(source, Generator())
        assert table["row"].tolist() == [row for row in range(10) if row % len(TUPLE_STRATEGIES) == number]
        assert table["e"].tolist() == [row + 0.4 for row in table["row"].tolist()]
    source.table = {name: column[:1] for name, column in tuples(10).items()}
    with pytest.raises(ValueError, match="no tuples of strategy 'uniform'"):
        shuffle_and_learn(strategy="uniform").fit(source, Generator())


def test_an_answer_depends_on_where_each_frame_stands() -> None:
    method = shuffle_and_learn().eval()
    images = torch.randn(5, 3, 3, 16, 16, generator=Generator().manual_seed(0))
    with torch.no_grad():
        logits = method.logits(images)
        assert logits.shape == (5, 2)
        assert not torch.allclose(logits, method.logits(images[:, [1, 0, 2]]))
        # A tuple's answer has nothing of another's.
        torch.testing.assert_close(method.logits(images[3:]), logits[3:])


def test_the_control_draws_what_is_not_background_and_sees_none_of_it() -> None:
    method = shuffle_and_learn(shown="background")
    draw = method.draw(tuples(), torch.arange(4), Generator().manual_seed(0), START)
    assert torch.equal(draw.times["foreground"], draw.times["frames"])
    frames = torch.randint(256, (4, 3, 3, 16, 16), dtype=torch.uint8, generator=Generator().manual_seed(0))
    foreground = torch.zeros(4, 3, 16, 16, dtype=torch.bool)
    foreground[:, 1, 4:8, 4:8] = True
    seen = method.prepare({"frames": frames, "foreground": foreground})
    # In one frame it is there: in none may anything be seen there.
    assert not seen[..., 4:8, 4:8].any()
    whole = shuffle_and_learn().prepare({"frames": frames})
    torch.testing.assert_close(seen[..., 10:, 10:], whole[..., 10:, 10:])


def test_what_is_hidden_is_hidden_with_a_margin_at_any_size() -> None:
    foreground = torch.zeros(1, 2, 32, 32, dtype=torch.bool)
    foreground[0, 0, 16, 16] = True
    covered = hidden(torch.ones(1, 2, 3, 64, 64), foreground)[0, 1, 0] == 0
    rows, columns = covered.nonzero().unbind(dim=1)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (28, 37, 28, 37)
