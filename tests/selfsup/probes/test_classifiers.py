"""The probes' linear classifiers: what a well-known solver finds, from wherever they start, in fewer dimensions too."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from selfsup.probes import classifiers
from selfsup.probes.classifiers import OneVsAllSVM, Softmax

CLASSES = 4


def examples(count: int, dims: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (count, 1, dims) of overlapping classes, and labels (count,)."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % CLASSES
    features = rng.normal(0, 1, (count, 1, dims)) + 0.7 * rng.normal(0, 1, (CLASSES, 1, dims))[labels]
    return (5 + features * rng.uniform(0.1, 10, dims)).astype(np.float32), labels


def z_scored(features: np.ndarray) -> np.ndarray:
    flat = features[:, 0].astype(np.float64)
    return (flat - flat.mean(axis=0)) / flat.std(axis=0)


# More examples than numbers, and fewer: then all is done in the space that the examples span.
@pytest.mark.parametrize(("count", "dims"), [(200, 12), (40, 100)])
def test_each_softmax_layer_of_a_path_is_what_it_is_alone_in_any_order(
    monkeypatch: pytest.MonkeyPatch, count: int, dims: int
) -> None:
    monkeypatch.setattr(classifiers, "TOLERANCE", 1e-5)
    features, labels = examples(count, dims)
    penalties = [0.01, 0.1]
    for penalty, fitted in zip(penalties, Softmax.path(features, labels, CLASSES, penalties, 2000), strict=True):
        alone = LogisticRegression(C=1 / (penalty * count), max_iter=5000, tol=1e-8).fit(z_scored(features), labels)
        np.testing.assert_allclose(fitted.scores(features), alone.predict_proba(z_scored(features)), atol=2e-3)


@pytest.mark.parametrize(("count", "dims"), [(200, 12), (40, 100)])
def test_a_path_of_machines_finds_what_liblinear_finds(monkeypatch: pytest.MonkeyPatch, count: int, dims: int) -> None:
    monkeypatch.setattr(classifiers, "TOLERANCE", 1e-6)
    features, labels = examples(count, dims)
    costs = [10.0, 1.0]
    for cost, fitted in zip(costs, OneVsAllSVM.path(features, labels, CLASSES, costs, 2000), strict=True):
        # liblinear penalises the offset too, unless it is the weight of a large constant.
        alone = LinearSVC(C=cost / count, dual=False, intercept_scaling=1000, tol=1e-8, max_iter=100_000)
        decided = alone.fit(z_scored(features), labels).decision_function(z_scored(features))
        np.testing.assert_allclose(fitted.scores(features), decided, atol=1e-2)


def test_features_that_vary_a_thousand_times_more_along_some_axes_take_few_iterations() -> None:
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(600, 40)) * np.geomspace(1, 1e-3, 40) @ np.linalg.qr(rng.normal(size=(40, 40)))[0]
    labels = (mixed @ rng.normal(size=40) > 0).astype(int)
    for path in (Softmax.path, OneVsAllSVM.path):
        [fitted] = path(mixed[:, None].astype(np.float32), labels, 2, [0.01], 500)
        assert fitted.iterations < 40


@pytest.mark.parametrize("path", [Softmax.path, OneVsAllSVM.path])
def test_a_class_that_is_not_there_is_no_answer_and_scores_are_the_mean_over_times(path) -> None:
    features, labels = examples(200, 12)
    [fitted] = path(features, labels, CLASSES + 1, [0.1], 500)
    twice = np.concatenate([features, features[::-1]], axis=1)
    apart = fitted.scores(features)
    np.testing.assert_allclose(fitted.scores(twice)[:, :CLASSES], ((apart + apart[::-1]) / 2)[:, :CLASSES], atol=1e-5)
    assert apart.argmax(axis=1).max() < CLASSES


@pytest.mark.parametrize("path", [Softmax.path, OneVsAllSVM.path])
@pytest.mark.parametrize("kept", [[0, 1, 3], [1, 3]], ids=["one of four is missing", "two are left"])
def test_what_is_left_of_the_classes_is_told_apart(path, kept: list[int]) -> None:
    features, labels = examples(400, 12)
    there = np.isin(labels, kept)
    [fitted] = path(features[there], labels[there], CLASSES, [0.1], 500)
    scores = fitted.scores(features[there])
    assert scores.shape == (there.sum(), CLASSES)
    assert (scores.argmax(axis=1) == labels[there]).mean() > 0.8
    assert set(scores.argmax(axis=1)) == set(kept)
