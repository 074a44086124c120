"""Which seeds are chosen, how their patches are transformed, and which held-out picture is recognised."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from selfsup.methods.image.exemplar import (
    CHOICES,
    PLACES,
    Exemplar,
    Transformed,
    drawn_by_weight,
    gradient_energies,
    pca_contrast,
    recognised,
)
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

STILL = {
    "classes": 8,
    "patch": 1.0,
    "translation": 0.0,
    "scale": [1.0, 1.0],
    "rotation": 0.0,
    "contrast": [1.0, 1.0],
    "power": [1.0, 1.0],
    "factor": [1.0, 1.0],
    "offset": 0.0,
    "hue": 0.0,
}
MOVED = STILL | {"translation": 0.1, "scale": [0.9, 1.1], "rotation": 10.0, "contrast": [0.8, 1.25], "hue": 0.02}
NETWORK = {"widths": [16, 32, 64], "side": 16}
START = Progress(0, 1)


def exemplar(**changes) -> Exemplar:
    method = build(Exemplar, STILL | changes, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, Exemplar)
    return method


def views_of(method: Exemplar, source, indices: Tensor) -> Transformed:
    table = method.fit(source, Generator().manual_seed(0))
    batch = source.take(method.draw(table, indices, Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_without_transformations_a_seed_is_its_picture(make_source) -> None:
    source, method = make_source(8), exemplar()
    views = views_of(method, source, torch.arange(8))
    assert views.classes.tolist() == list(range(8))
    assert views.again is None
    torch.testing.assert_close(views.images, source.clips[:, 0].float() / 127.5 - 1, atol=1e-3, rtol=0)


def test_a_small_patch_lies_inside_its_picture(make_source) -> None:
    source, method = make_source(8), exemplar(patch=0.5)
    table = method.fit(source, Generator().manual_seed(0))
    assert table["right"].abs().max() <= 0.25
    assert table["down"].unique().tolist() != [0]
    batch = source.take(method.draw(table, torch.arange(8), Generator(), START))
    one = method.transformed(method.encoder.prepare(batch.streams), torch.full((8, 2), -0.25), Generator())
    # The top left quarter, enlarged.
    quarter = batch.streams["frames"][:, 0, :, :8, :8].float() / 127.5 - 1
    halved = torch.nn.functional.avg_pool2d(one, 2)
    assert (halved - quarter).abs().mean() < 0.3 * (halved.roll(1, dims=0) - quarter).abs().mean()


def test_each_seed_is_transformed_in_a_way_of_its_own(make_source) -> None:
    source = make_source(8)
    source.clips[:] = source.clips[:1]
    images = views_of(
        exemplar(**{name: MOVED[name] for name in ("translation", "hue")}), source, torch.arange(8)
    ).images
    for other in range(1, 8):
        assert not torch.allclose(images[0], images[other], atol=0.02)


def test_saturation_and_value_are_raised_to_the_power_and_scaled(make_source) -> None:
    source = make_source(8)
    # A colour of hue 0, saturation .5, value .8; the rest of its channels .4.
    source.clips[:] = torch.tensor([0.8, 0.4, 0.4])[:, None, None].mul(255).round().to(torch.uint8)
    source.clips[:, :, :, 8:] = 0
    method = exemplar(power=[2.0, 2.0], factor=[1.2, 1.2])
    batch = source.take(method.draw(method.fit(source, Generator()), torch.arange(8), Generator(), START))
    seen = (method.transformed(method.encoder.prepare(batch.streams), torch.zeros(8, 2), Generator()) + 1) / 2
    value, saturation = 1.2 * 0.8**2, 1.2 * 0.5**2
    expected = torch.tensor([value, value * (1 - saturation), value * (1 - saturation)])
    torch.testing.assert_close(seen[:, :, 2, 5], expected.expand(8, 3), atol=0.01, rtol=0)


def test_contrast_changes_what_a_colour_has_of_a_component() -> None:
    components = torch.tensor([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    mean = torch.tensor([0.1, 0.2, 0.3])
    colour = mean + 0.1 * components[0] + 0.2 * components[1] - 0.3 * components[2]
    changed = pca_contrast(colour.view(1, 3, 1, 1), mean, components, torch.tensor([[2.0, 0.5, 1.0]]))
    expected = mean + 0.2 * components[0] + 0.1 * components[1] - 0.3 * components[2]
    torch.testing.assert_close(changed.flatten(), expected)


def test_components_are_those_of_all_pixels(make_source) -> None:
    source, method = make_source(8), exemplar()
    method.fit(source, Generator().manual_seed(0))
    colours = (source.clips[:, 0].double() / 127.5 - 1).transpose(0, 1).flatten(1)
    torch.testing.assert_close(method.mean.double(), colours.mean(dim=1), atol=1e-5, rtol=0)
    along = method.components.double() @ torch.cov(colours, correction=0) @ method.components.double().T
    torch.testing.assert_close(along, along.diag().diag(), atol=1e-6, rtol=0)


def test_energy_is_the_squared_gradient_where_the_patch_lies() -> None:
    image = torch.zeros(1, 1, 9, 9)
    image[..., :, 6:] = 3
    energies = gradient_energies(image, 0.5).view(PLACES, PLACES)
    # 4 of the 8 x 8 differences across and down; the step is that at column 5, in the squares that begin at 2 or later.
    assert energies[0].tolist() == [0, 0, 9 / 4, 9 / 4, 9 / 4]
    assert torch.equal(energies, energies[:1].expand(PLACES, PLACES))


def test_seeds_are_drawn_by_their_weight() -> None:
    weights = torch.tensor([1.0, 3.0, 0.0]).double().clamp(min=1e-12)
    drawn = [drawn_by_weight(weights, 1, Generator().manual_seed(seed)).item() for seed in range(2000)]
    assert drawn.count(1) / 2000 == pytest.approx(0.75, abs=0.03)
    assert drawn.count(2) == 0
    assert drawn_by_weight(weights, 2, Generator().manual_seed(0)).tolist() == [0, 1]


def test_flat_pictures_are_no_seeds_where_there_are_others(make_source) -> None:
    source = make_source(32)
    source.clips[8:] = 100
    table = exemplar().fit(source, Generator().manual_seed(0))
    assert table["row"].tolist() == list(range(8))


def test_fewer_pictures_are_fewer_classes(make_source) -> None:
    method = exemplar(classes=20)
    assert len(method.fit(make_source(6), Generator().manual_seed(0))["row"]) == 6
    assert method.head.linear.out_features == 20


def test_loss_is_the_mean_negative_log_probability_of_the_seed(make_source) -> None:
    method = exemplar(**MOVED).eval()
    views = views_of(method, make_source(8), torch.tensor([3, 1, 6]))
    probabilities = method.head(method.encoder.blocks(views.images)).softmax(dim=1)
    by_hand = [-math.log(row[seed].item()) for row, seed in zip(probabilities, [3, 1, 6], strict=True)]
    assert method.loss(views)["exemplar"].item() == pytest.approx(sum(by_hand) / 3, rel=1e-5)


def test_the_same_pictures_are_recognised_and_labels_do_not_give_them_away() -> None:
    vectors = torch.randn(40, 6, generator=Generator().manual_seed(0))
    answers = recognised(vectors, 2 * vectors)
    assert answers.scores is not None
    assert answers.labels is not None
    assert answers.scores.shape == (40, CHOICES)
    assert torch.equal(answers.scores.argmax(dim=1), answers.labels)
    assert answers.labels.bincount(minlength=CHOICES).min() >= 2
    # Entry 33 is in the last group, which begins at 24.
    cosine = torch.nn.functional.cosine_similarity(vectors[33], vectors[24], dim=0)
    assert answers.scores[33, 0].item() == pytest.approx(cosine.item(), abs=1e-5)
    # Unrelated vectors are at chance.
    others = torch.randn(40, 6, generator=Generator().manual_seed(1))
    assert (recognised(vectors, others).scores.argmax(dim=1) == answers.labels).float().mean() < 0.3


def test_a_small_batch_has_as_many_choices() -> None:
    vectors = torch.eye(3)
    answers = recognised(vectors, vectors)
    assert answers.scores is not None
    assert answers.scores.shape == (3, CHOICES)
    assert answers.scores[:, 3:].unique().tolist() == [-1]


def test_training_tells_the_seeds_apart(make_source) -> None:
    source = make_source(64)
    method = exemplar(classes=32, **{name: MOVED[name] for name in ("translation", "scale", "rotation", "contrast")})
    schedule = replace(SHORT, steps=150, batch_size=32, log_every=50, optimiser="adamw", learning_rate=0.01)
    rows = pretrain(method, source, schedule, seed=0, device="cpu")
    assert rows[-1]["exemplar"] < 0.3 * math.log(32)
    # Of other pictures too, two patches are known to be of the same.
    table = method.held_out(make_source(64, seed=1).table)
    batch = make_source(64, seed=1).take(method.draw(table, torch.arange(64), Generator(), START))
    answers = method.pretext(method.views(batch, Generator().manual_seed(0), START))
    assert answers.scores is not None
    assert (answers.scores.argmax(dim=1) == answers.labels).float().mean() > 3 / CHOICES


def test_a_range_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(ValueError, match="scale must go from the least to the greatest"):
        exemplar(scale=[1.4, 0.7])
