"""Cross-fitting finds what is there, and nothing where there is nothing, on clips that were not fitted to."""

import numpy as np
import pytest

from selfsup.probes.crossfit import Examples, balanced, crossfit

FOLDS = 5
PENALTIES = [1.0, 0.01]


def noise(clips: int, classes: int, a_clip: int = 1, dims: int = 10, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    owners = np.repeat(np.arange(clips), a_clip)
    features = rng.normal(size=(clips * a_clip, dims)).astype(np.float32)
    return Examples(features, rng.integers(classes, size=clips * a_clip), owners, classes)


def folds_of(examples: Examples) -> np.ndarray:
    return np.arange(examples.clips.max() + 1) % FOLDS


def test_a_cue_is_found() -> None:
    examples = noise(500, 4)
    examples.features[:, 3] += 3 * examples.labels
    accuracy, penalties = crossfit(examples, folds_of(examples), PENALTIES, 100)
    assert accuracy.value > 0.8
    assert len(penalties) == FOLDS


def test_noise_is_at_chance_as_often_as_the_error_says() -> None:
    distances = []
    for seed in range(40):
        examples = noise(150, 2, seed=seed, dims=3)
        accuracy, _ = crossfit(examples, folds_of(examples), [1.0], 50)
        distances.append((accuracy.value - 0.5) / accuracy.error)
    assert abs(np.mean(distances)) < 0.6
    assert np.mean(np.abs(distances) < 1.96) > 0.85


def test_what_only_tells_clips_apart_is_no_cue() -> None:
    """Ten examples of a clip, alike and of one label: a classifier that had seen the clip would know."""
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(100), 10)
    features = rng.normal(size=(100, 50))[owners] + 0.01 * rng.normal(size=(1000, 50))
    labels = rng.integers(2, size=100)[owners]
    examples = Examples(features.astype(np.float32), labels, owners, 2)
    accuracy, _ = crossfit(examples, folds_of(examples), PENALTIES, 100)
    assert abs(accuracy.value - 0.5) < 3 * accuracy.error
    # A clip counts once: ten copies of an answer are no ten answers.
    assert accuracy.error > 0.035


def test_features_that_do_not_vary_give_chance_itself() -> None:
    examples = noise(300, 3)
    examples.features[:] = 25.0
    accuracy, _ = crossfit(examples, folds_of(examples), PENALTIES, 50)
    assert accuracy.value == pytest.approx(1 / 3, abs=0.05)


def test_chance_is_one_over_the_classes_whatever_their_shares() -> None:
    labels = np.repeat([0, 1], [900, 100])
    always_the_first = balanced(labels, labels == 0, np.arange(1000))
    assert always_the_first.value == 0.5
    rng = np.random.default_rng(0)
    simulated = [balanced(labels, rng.random(1000) < 0.3, np.arange(1000)) for _ in range(300)]
    spread = np.std([one.value for one in simulated])
    assert np.mean([one.error for one in simulated]) == pytest.approx(spread, rel=0.15)


def test_too_few_folds_or_classes_are_refused() -> None:
    examples = noise(50, 2)
    with pytest.raises(ValueError, match="three folds or more: got 2"):
        crossfit(examples, np.arange(50) % 2, PENALTIES, 50)
    missing = Examples(examples.features, np.zeros(50, int), examples.clips, 2)
    with pytest.raises(ValueError, match="only 1 of 2 classes"):
        crossfit(missing, folds_of(examples), PENALTIES, 50)
