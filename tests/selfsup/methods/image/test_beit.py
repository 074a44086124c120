import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.beit import BEiT, Blocked, block_masks
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.networks.tokeniser import Tokeniser
from selfsup.networks.vit import ViT
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

NETWORK = {"patch": 4, "dim": 32, "depth": 2, "heads": 2, "side": 16}
SIZES = {"widths": [8], "tokens": 12, "side": 8}
ARGUMENTS = {
    "masked": 0.4,
    "block": 0.1,
    "aspect": 0.3,
    "tokens": 12,
    "tokeniser_widths": [8],
    "tokeniser_side": 8,
    "jitter": 0.0,
    "crop": {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0},
}


def tokeniser(**changes) -> Tokeniser:
    """Untrained, but with weights by which colours and light are told apart."""
    torch.manual_seed(0)
    network = Tokeniser(**SIZES | changes)
    network.scores.weight.data *= 10
    network.train()
    with torch.no_grad():
        network.logits(torch.randn(64, 3, network.side, network.side))
    return network.eval()


def beit(**changes) -> BEiT:
    method = build(BEiT, ARGUMENTS | changes, {"encoder": (ViT, NETWORK)}, seed=0)
    assert isinstance(method, BEiT)
    method.begin_with("tokeniser", {"encoder": tokeniser()})
    return method


def views_of(method: BEiT, source) -> Blocked:
    start = Progress(0, 1)
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), start))
    return method.views(batch, Generator().manual_seed(0), start)


def test_masks_of_the_papers_size_hold_what_the_authors_code_makes() -> None:
    masks = block_masks(500, 14, Generator().manual_seed(0), most=75, least=16, aspect=0.3)
    counts = masks.sum(dim=(1, 2))
    assert counts.max() <= 75
    assert counts.min() >= 16 - 3  # a block's sides are rounded
    assert 65 < counts.float().mean() < 75
    # Blocks, not scattered patches: fewer borders than independent patches of the same number would have.
    share = counts.float().mean() / 196
    borders = (masks[..., 1:] != masks[..., :-1]).float().mean()
    assert borders < 0.5 * 2 * share * (1 - share)


def test_a_block_of_one_shape_by_hand() -> None:
    # Aspect 1 and areas of 4 alone: each block is 2 x 2; of two, if the second lies on one side of the first.
    masks = block_masks(200, 6, Generator().manual_seed(0), most=4, least=4, aspect=1.0)
    for mask in masks:
        rows, columns = mask.any(dim=1).nonzero()[:, 0], mask.any(dim=0).nonzero()[:, 0]
        assert mask.sum() == 4
        assert rows.tolist() == [int(rows[0]), int(rows[0]) + 1]
        assert columns.tolist() == [int(columns[0]), int(columns[0]) + 1]
    # Every one of the 5 x 5 places: 8 of 200 each.
    tops, lefts = masks.any(dim=2).int().argmax(dim=1), masks.any(dim=1).int().argmax(dim=1)
    counts = (tops * 5 + lefts).bincount(minlength=25)
    assert len(counts) == 25
    assert (counts - 8).abs().max() < 5 * math.sqrt(8)


def test_a_picture_is_never_without_a_withheld_patch() -> None:
    # Blocks as large as the picture never fit.
    masks = block_masks(5, 2, Generator().manual_seed(0), most=4, least=4, aspect=1.0)
    assert masks.sum(dim=(1, 2)).tolist() == [1] * 5


def test_tokens_are_the_tokenisers_of_the_same_crop(make_source) -> None:
    method = beit(crop={"scale": [0.3, 0.6], "ratio": [0.75, 1.33], "flip": 0.5}, jitter=0.4).train()
    views = views_of(method, make_source(6))
    smaller = torch.nn.functional.interpolate(views.images, size=(8, 8), mode="bilinear", antialias=True)
    expected = tokeniser().logits(smaller).argmax(dim=1)
    assert views.tokens.shape == (6, 16)
    assert torch.equal(views.tokens[:, 4 * 2 + 1], expected[:, 2, 1])
    assert len(expected.unique()) > 2


def test_loss_is_the_mean_negative_log_probability_of_the_withheld_tokens(make_source) -> None:
    method = beit().eval()
    views = views_of(method, make_source(6))
    embedded = method.encoder.embedded(views.images).clone()
    by_hand = []
    for entry, hidden in enumerate(views.hidden):
        for place in hidden.nonzero()[:, 0].tolist():
            embedded[entry, place] = method.mask_token[0, 0] + method.encoder.positions[place]
        scores = method.head(method.encoder.encoded(embedded[entry : entry + 1])[0, 1:]).log_softmax(dim=1)
        by_hand += [-scores[place, views.tokens[entry, place]].item() for place in hidden.nonzero()[:, 0].tolist()]
    assert method.loss(views)["tokens"].item() == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-4)


def test_what_is_withheld_cannot_be_seen(make_source) -> None:
    method = beit().eval()
    views = views_of(method, make_source(6))
    hidden = views.hidden.view(6, 1, 4, 4).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    other = replace(views, images=torch.where(hidden, -views.images, views.images))
    assert torch.equal(method.predict(other), method.predict(views))
    assert not torch.equal(method.predict(replace(views, images=-views.images)), method.predict(views))


def test_the_tokeniser_stays_as_it_was_and_no_probe_takes_it(make_source) -> None:
    method = beit()
    before = {name: value.clone() for name, value in method.teacher.state_dict().items()}
    assert list(method.encoders()) == ["encoder"]
    pretrain(method, make_source(16), SHORT, seed=0, device="cpu")
    after = method.teacher.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_the_trivial_answer_is_the_token_met_most_often(make_source) -> None:
    method, source = beit(), make_source(60)
    method.fit(source, Generator().manual_seed(0))
    tokens = method.teacher.tokens(source.clips[:, 0].float() / 127.5 - 1)
    assert method.frequencies.tolist() == pytest.approx([(tokens == one).float().mean().item() for one in range(12)])
    most = int(method.frequencies.argmax())
    views = views_of(method.eval(), source)
    answers = method.pretext(views)
    by_hand = [
        sum(token != most for token in own[hidden].tolist()) / int(hidden.sum())
        for own, hidden in zip(views.tokens, views.hidden, strict=True)
    ]
    assert answers.trivial is not None
    assert answers.trivial.tolist() == pytest.approx(by_hand)


@pytest.mark.slow
def test_training_tells_most_withheld_tokens(make_source) -> None:
    method, source = beit(), make_source(64)
    schedule = replace(SHORT, steps=120, batch_size=32, optimiser="adamw", learning_rate=0.005, log_every=20)
    rows = pretrain(method, source, schedule, seed=0, device="cpu")
    assert rows[-1]["tokens"] < 0.4 * rows[0]["tokens"]
    with torch.no_grad():
        answers = method.pretext(views_of(method, make_source(6, seed=1)))
    assert answers.errors is not None
    assert answers.trivial is not None
    assert answers.errors.mean() < 0.6 * answers.trivial.mean()


def test_without_a_tokeniser_nothing_trains(make_source) -> None:
    method = build(BEiT, ARGUMENTS, {"encoder": (ViT, NETWORK)}, seed=0)
    with pytest.raises(ValueError, match=r"init_from\.tokeniser: missing"):
        pretrain(method, make_source(16), SHORT, seed=0, device="cpu")


def test_a_teacher_that_does_not_fit_is_refused() -> None:
    method = beit()
    with pytest.raises(ValueError, match="expected a run with one Tokeniser, found 0"):
        method.begin_with("tokeniser", {"encoder": ConvNet(widths=[8], side=8)})
    with pytest.raises(ValueError, match=r"side \(12, \[8\], 8\), found \(14, \[8\], 8\)"):
        method.begin_with("tokeniser", {"encoder": tokeniser(tokens=14)})


def test_the_encoder_can_begin_with_another_runs_weights() -> None:
    method, other = beit(), ViT(**NETWORK)
    method.begin_with("encoder", {"encoder": other})
    assert torch.equal(method.encoder.patch_embed.weight, other.patch_embed.weight)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"block": 0.6}, "expected 0 < block <= masked < 16"),
        ({"block": 0.001}, "expected 0 < block <= masked < 16"),
        ({"tokeniser_side": 16}, "change tokeniser_side"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(change: dict, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        beit(**change)
