"""Weighted nearest neighbours: what is near votes, k is validation's choice, neighbours are training clips."""

import numpy as np
import pytest
import torch

from selfsup.networks.convnet import ConvNet
from selfsup.probes.features import Features, LabelledFeatures, clip_features
from selfsup.probes.knn import KNN
from selfsup.probes.probe import Evaluation


def evaluate(splits: list, **changes) -> Evaluation:
    torch.manual_seed(0)
    encoder = ConvNet(widths=[4, 8], side=16)
    probe = KNN(**{"label": "colour", "neighbours": [60, 5], "temperature": 0.07, "kept": 4, **changes})
    train, validation, test = (
        clip_features(encoder, source, label="colour", times_per_clip=1, dims=8, device="cpu") for source in splits
    )
    [number] = probe.evaluate(train=train, validation=validation, test=test, seed=0)
    return number


@pytest.fixture
def splits(make_source) -> list:
    return [make_source(count, table="clips", seed=seed) for seed, count in enumerate([60, 20, 30])]


def test_a_colour_is_read_off_neighbours_and_k_is_chosen_on_validation(splits) -> None:
    number = evaluate(splits)
    predictions = number.predictions
    assert (predictions["prediction"] == predictions["label"]).mean() > 0.8
    np.testing.assert_allclose(predictions["scores"].sum(axis=1), 1, atol=1e-5)
    best = max(number.candidates, key=lambda one: one["validation_top1"])
    assert [one["neighbours"] for one in number.candidates] == [60, 5]
    assert number.choice == best
    assert number.choice["layer"] == "block2"


def test_neighbours_are_training_clips_mostly_of_the_same_class_and_the_clip_itself_comes_first(splits) -> None:
    found = evaluate(splits).retrieved
    assert found is not None
    assert found.split == "train"
    assert found.rows.shape == (30, 4)
    alike = splits[0].labels["colour"].numpy()[found.rows] == splits[2].labels["colour"].numpy()[:, None]
    assert alike.mean() > 0.8
    itself = evaluate([splits[0], splits[1], splits[0]]).retrieved
    assert itself is not None
    assert itself.rows[:, 0].tolist() == list(range(60))


def test_positions_are_those_of_the_index_and_no_more_are_kept_than_there_are(splits) -> None:
    expected = evaluate(splits, kept=1000).retrieved
    for source in splits:
        source.table["row"] = source.table["row"] + 100
        source.clips = torch.cat(
            [torch.zeros_like(source.clips[:1]).expand(100, *source.clips.shape[1:]), source.clips]
        )
        label = source.labels["colour"]
        source.labels = {"colour": torch.cat([label.new_zeros(100), label])}
    found = evaluate(splits, kept=1000)
    assert expected is not None
    assert found.retrieved is not None
    assert found.retrieved.rows.shape == (30, 60)
    assert (found.retrieved.rows == expected.rows + 100).all()
    assert found.predictions["row"].tolist() == list(range(100, 130))


def test_one_class_is_nothing_to_tell_apart(splits) -> None:
    splits[0].labels["colour"][:] = 1
    with pytest.raises(ValueError, match="nearest neighbours: all 60 training clips have the same 'colour'"):
        evaluate(splits)


def of_frames(*clips: list[tuple[float, float]]) -> LabelledFeatures:
    """Of as many classes as clips."""
    averages = np.array(clips, np.float32)
    return LabelledFeatures(Features(np.arange(len(clips)), {"block1": averages}, averages), np.arange(len(clips)), 2)


def test_a_clip_is_the_average_of_its_frames_however_many_are_kept() -> None:
    # About the training clips' centre, (0.25, 0.25), (0.5, 0.4) points nearly as the first clip's average does; its
    # single frames point elsewhere.
    train = of_frames([(1, 0), (0, 1)], [(1, -1), (-1, 1)])
    test = of_frames([(0.5, 0.4)], [(-0.2, -0.3)])
    probe = KNN(label="colour", neighbours=[1], temperature=0.07, kept=1)
    [number] = probe.evaluate(train=train, validation=test, test=test, seed=0)
    assert number.predictions["prediction"].tolist() == [0, 1]


def test_what_all_clips_have_in_common_is_no_likeness() -> None:
    """A large mean: without it all cosines are near 1, and the longer of two clips is the nearer."""
    train = of_frames([(100, 101)], [(103, 100)])
    test = of_frames([(101, 104)], [(120, 110)])
    probe = KNN(label="colour", neighbours=[1], temperature=0.07, kept=1)
    [number] = probe.evaluate(train=train, validation=test, test=test, seed=0)
    assert number.predictions["prediction"].tolist() == [0, 1]


def test_a_k_at_an_end_of_what_was_tried_is_flagged(splits) -> None:
    assert evaluate(splits, neighbours=[5, 60]).at_edge
    assert not evaluate(splits, neighbours=[5]).at_edge
