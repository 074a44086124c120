import numpy as np
import pytest
import torch

from selfsup.networks.convnet import ConvNet
from selfsup.probes.features import clip_features
from selfsup.probes.linear import Linear
from selfsup.probes.probe import Evaluation

PROTOCOL = {"label": "colour", "penalties": [0.1, 0.001], "max_iterations": 50}
DIMS, TRAIN_FRAMES = 64, 2


@pytest.fixture
def encoder() -> ConvNet:
    torch.manual_seed(0)
    return ConvNet(widths=[4, 8], side=16)


@pytest.fixture
def splits(make_source) -> list:
    return [make_source(count, table="clips", frames=4, seed=seed) for seed, count in enumerate([60, 20, 30])]


def evaluate(encoder: ConvNet, splits: list, test_frames: int = 1, **changes) -> Evaluation:
    train, validation, test = (
        clip_features(encoder, source, label="colour", times_per_clip=times, dims=DIMS, device="cpu")
        for source, times in zip(splits, (TRAIN_FRAMES, test_frames, test_frames), strict=True)
    )
    (evaluation,) = Linear(**{**PROTOCOL, **changes}).evaluate(train=train, validation=validation, test=test, seed=0)
    return evaluation


def test_a_colour_is_read_off_even_random_features(encoder, splits) -> None:
    predictions = evaluate(encoder, splits).predictions
    assert (predictions["label"] == predictions["prediction"]).mean() > 0.9


def test_predictions_are_those_of_the_test_clips(encoder, splits) -> None:
    predictions = evaluate(encoder, splits, test_frames=3).predictions
    assert predictions["row"].tolist() == list(range(30))
    assert predictions["label"].tolist() == splits[2].labels["colour"].tolist()
    assert predictions["scores"].shape == (30, 3)
    np.testing.assert_allclose(predictions["scores"].sum(axis=1), 1, atol=1e-5)
    assert (predictions["scores"].argmax(axis=1) == predictions["prediction"]).all()


def test_scores_are_averaged_over_a_clips_frames(encoder, splits) -> None:
    fixed = {"penalties": [0.1]}
    # Frames at .75 and 2.25 of 3 s show frames 0 and 2; a clip of one frame alone shows that frame.
    together = evaluate(encoder, splits, test_frames=2, **fixed).predictions["scores"]
    layers = {evaluate(encoder, splits, test_frames=2, **fixed).choice["layer"]}
    alone = []
    for frame in (0, 2):
        cut = [splits[0], *splits[1:]]
        cut[2] = type(splits[2])(splits[2].clips[:, frame : frame + 1], "clips", splits[2].labels, splits[2].classes)
        evaluation = evaluate(encoder, cut, **fixed)
        layers.add(evaluation.choice["layer"])
        alone.append(evaluation.predictions["scores"])
    assert len(layers) == 1
    np.testing.assert_allclose(together, (alone[0] + alone[1]) / 2, atol=1e-5)


def test_every_block_and_penalty_is_a_candidate_and_the_best_on_validation_is_chosen(encoder, splits) -> None:
    evaluation = evaluate(encoder, splits)
    tried = [(candidate["layer"], candidate["penalty"]) for candidate in evaluation.candidates]
    assert tried == [("block1", 0.1), ("block1", 0.001), ("block2", 0.1), ("block2", 0.001)]
    best = max(evaluation.candidates, key=lambda candidate: candidate["validation_top1"])
    assert evaluation.choice == {name: best[name] for name in ("layer", "penalty", "validation_top1")}


def test_chance_is_one_over_the_datasets_classes(encoder, splits) -> None:
    # Three colours are named, though the training clips show two.
    splits[0].labels["colour"].clamp_(max=1)
    assert evaluate(encoder, splits).baselines == {"chance": 1 / 3}


def test_the_test_split_has_no_part_in_the_choice(encoder, splits, make_source) -> None:
    other = make_source(5, table="clips", frames=4, seed=9)
    first, second = evaluate(encoder, splits), evaluate(encoder, [*splits[:2], other])
    assert first.choice == second.choice
    assert first.candidates == second.candidates


def test_equal_inputs_give_equal_predictions(encoder, splits) -> None:
    first, second = evaluate(encoder, splits), evaluate(encoder, splits)
    assert all(np.array_equal(first.predictions[name], second.predictions[name]) for name in first.predictions)


def test_a_class_that_training_lacks_gets_no_score(encoder, splits) -> None:
    splits[0].labels["colour"].clamp_(max=1)
    predictions = evaluate(encoder, splits).predictions
    assert (predictions["scores"][:, 2] == 0).all()


def test_one_class_alone_is_refused(encoder, splits) -> None:
    splits[0].labels["colour"].zero_()
    with pytest.raises(ValueError, match="all 60 training clips have the same 'colour'"):
        evaluate(encoder, splits)


def test_of_more_than_five_classes_the_first_five_count_too(encoder, splits) -> None:
    for source in splits:
        source.classes = {"colour": list("abcdef")}
    train, validation, test = (
        clip_features(encoder, source, label="colour", times_per_clip=1, dims=DIMS, device="cpu") for source in splits
    )
    first, five = Linear(**PROTOCOL).evaluate(train=train, validation=validation, test=test, seed=0)
    assert (first.metric, five.metric) == ("top1", "top5")
    assert five.baselines == {"chance": 5 / 6}
    assert five.predictions is first.predictions
