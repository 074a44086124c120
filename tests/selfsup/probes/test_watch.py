"""What is measured of features while training goes on."""

import math

import pytest
import torch

from selfsup.networks.convnet import ConvNet
from selfsup.probes.watch import ClipWatch, Neighbours, effective_rank, feature_std, middle_features, nearest, votes


def unit(count: int, dims: int, seed: int = 0) -> torch.Tensor:
    values = torch.randn(count, dims, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(values, dim=1)


def encoder(seed: int = 0) -> ConvNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ConvNet(widths=[8, 16], side=16).eval()


def test_spread_features_have_the_std_of_a_sphere_and_equal_ones_none() -> None:
    assert feature_std(unit(5000, 64)) == pytest.approx(1 / math.sqrt(64), rel=0.01)
    assert feature_std(unit(1, 64).expand(100, -1)) == pytest.approx(0, abs=1e-6)


def test_the_effective_rank_counts_directions() -> None:
    axes = torch.eye(8)
    assert effective_rank(axes.repeat(5, 1)) == pytest.approx(8)
    assert effective_rank(axes[:3].repeat(5, 1)) == pytest.approx(3)
    assert effective_rank(axes[:1].repeat(5, 1)) == pytest.approx(1)
    # By hand: singular values 3 and 1, so p = 3/4, 1/4.
    by_hand = math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert effective_rank(torch.diag(torch.tensor([3.0, 1.0]))) == pytest.approx(by_hand)
    assert effective_rank(torch.zeros(4, 8)) == 0
    assert math.isnan(effective_rank(torch.full((4, 8), math.nan)))


def test_neighbours_vote_by_their_similarity_as_a_slow_loop_does() -> None:
    features, bank = unit(40, 6, seed=1), unit(90, 6, seed=2)
    labels = torch.arange(90) % 4
    similarity, places = nearest(features, bank, 7)
    weights = votes(similarity, places, labels, classes=4, temperature=0.07)
    for weight, found, feature in zip(weights, places, features, strict=True):
        similar = sorted(((bank[place] @ feature).item(), place) for place in range(90))[:-8:-1]
        assert found.tolist() == [place for _, place in similar]
        by_hand = [sum(math.exp(value / 0.07) for value, at in similar if labels[at] == one) for one in range(4)]
        expected = torch.tensor(by_hand) / sum(by_hand)
        torch.testing.assert_close(weight / weight.sum(), expected, atol=1e-5, rtol=1e-4)


def test_a_bank_smaller_than_k_and_a_class_with_one_clip_are_no_obstacle() -> None:
    bank = torch.eye(3)
    weights = votes(*nearest(bank, bank, 20), torch.tensor([0, 0, 2]), classes=5, temperature=0.07)
    assert weights.argmax(dim=1).tolist() == [0, 0, 2]


def test_labels_are_read_off_neighbours_of_the_bank(make_source) -> None:
    train, validation = make_source(90, table="clips"), make_source(40, table="clips", seed=1)
    near = Neighbours(train, torch.arange(90), "colour", count=20, temperature=0.07)
    seen = ClipWatch(validation, torch.arange(40), near)({"encoder": encoder()}, "cpu")
    assert list(seen) == ["feature_std", "effective_rank", "knn_top1"]
    # Colours are told apart by any convolution of the pixels.
    assert seen["knn_top1"] > 0.9
    wrong = make_source(90, table="clips")
    wrong.labels = {"colour": (wrong.labels["colour"] + 1) % 3}
    near = Neighbours(wrong, torch.arange(90), "colour", count=20, temperature=0.07)
    assert ClipWatch(validation, torch.arange(40), near)({"encoder": encoder()}, "cpu")["knn_top1"] < 0.1


def test_each_of_several_encoders_has_columns_of_its_own(make_source) -> None:
    watch = ClipWatch(make_source(20, table="clips"), torch.arange(20), None)
    both = watch({"one": encoder(), "other": encoder(seed=1)}, "cpu")
    assert list(both) == [
        *("one_feature_std", "one_effective_rank", "other_feature_std", "other_effective_rank"),
    ]
    assert both["one_feature_std"] != both["other_feature_std"]
    assert watch({"encoder": encoder()}, "cpu")["feature_std"] == both["one_feature_std"]


def test_only_the_entries_are_looked_at(make_source) -> None:
    source = make_source(20, table="clips", frames=3)
    features, labels = middle_features(encoder(), source, torch.tensor([4, 11]), "cpu")
    assert features.shape == (2, 16)
    assert labels["colour"].tolist() == source.labels["colour"][[4, 11]].tolist()
    torch.testing.assert_close(features.norm(dim=1), torch.ones(2))
    # The middle frame of three.
    torch.testing.assert_close(
        features[1],
        torch.nn.functional.normalize(
            encoder().blocks(encoder().prepare({"frames": source.clips[11:12, 1:2]}))[-1].mean(dim=(2, 3)), dim=1
        )[0].detach(),
    )
