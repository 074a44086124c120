"""The ceilings: each network trained, its untrained twin read out linearly, and the difference on the same clips."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pipeline.parameters.models import Bootstrap, ShortcutSettings
from selfsup.methods.method import Method
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder, Window
from selfsup.probes.ceilings import Frames, Sound, SupervisedWindows, answers
from selfsup.probes.crossfit import SoftmaxLayer
from selfsup.probes.features import LabelledFeatures, clip_features
from selfsup.probes.linear import Linear
from selfsup.source import Draw, Source
from selfsup.statistics.intervals import Interval, bootstrap_interval, paired_difference
from selfsup.training import LogRow, Schedule, build, derived_seed, pretrain

LENGTH = 0.85  # of a clip, that a window takes: the rest is room for windows that begin at another time
RATE = 200  # steps of a spectrogram in a second
Sources = Mapping[str, Source]
"""By split, each of the table `clips`."""

TASKS = {
    "object from stills": "object",
    "action from ordered frames": "action",
    "action from order-blind averaging": "action",
    "sounding class from sound": "sounding",
}
"""The label that each task predicts."""
CROPS = {"object": (0.6, 1.0), "action": (0.85, 1.0), "sounding": (1.0, 1.0)}
"""Of a picture's area, that is shown in training: who acts may stand at its edge. Sound is not cropped."""
SOUND, ORDERED, BLIND = "sounding class from sound", "action from ordered frames", "action from order-blind averaging"


@dataclass(frozen=True)
class Trial:
    """correct: (draws of labels, N) of the trained network's answers; `untrained`: of a linear classifier on the same
    network untrained. few: the same two, read out linearly from few labels a class, where that is asked for."""

    task: str
    chance: float
    clusters: np.ndarray
    correct: np.ndarray
    untrained: np.ndarray
    few: tuple[np.ndarray, np.ndarray] | None
    choice: Mapping[str, Any]


def trial(
    task: str, sources: Sources, settings: ShortcutSettings, device: str, on_log: Callable[[LogRow], None] | None
) -> Trial:
    """Train, answer on the test split, read out the untrained twin. Raises ValueError as training and probes do."""
    label = TASKS[task]
    length = float(np.median((sources["train"].table["end"] - sources["train"].table["start"]).numpy()))
    encoder = encoder_of(task, length, settings)
    arguments = {"label": label, "crop_scale": CROPS[label], "jitter": (1 - LENGTH) / 2 * length}
    schedule = Schedule(**getattr(settings.ceilings, label).model_dump(), checkpoint_every=0, watch_every=0)

    def fresh() -> Method:
        return build(SupervisedWindows, arguments, {"encoder": encoder}, settings.seed)

    untrained = fresh().encoders()["encoder"]
    probe = Linear(label=label, penalties=settings.penalties, max_iterations=settings.max_iterations)
    read_out, *_ = probe.evaluate(**labelled_splits(untrained, sources, label, settings, device), seed=settings.seed)
    method = fresh()
    assert isinstance(method, SupervisedWindows)
    pretrain(method, sources["train"], schedule, settings.seed, device, on_log)
    said, true = answers(method, sources["test"], device)
    few = few_labels(untrained, method.encoder, sources, label, settings, device) if task == SOUND else None
    return Trial(
        task,
        1 / len(sources["test"].classes[label]),
        parents(sources["test"]),
        (said == true).numpy()[None].astype(float),
        (read_out.predictions["prediction"] == read_out.predictions["label"])[None].astype(float),
        few,
        read_out.choice,
    )


def encoder_of(task: str, length: float, settings: ShortcutSettings) -> tuple[type[Encoder], dict[str, Any]]:
    """Class and arguments. length: of a clip, from its first to its last frame, in seconds."""
    network = {"widths": settings.widths, "side": settings.side}
    if task == SOUND:
        steps = round(LENGTH * length * RATE)
        return Sound, {**network, "window": Window(steps, (steps - 1) / RATE)}
    if task in (ORDERED, BLIND):
        network["side"] = settings.clip_side
        return Frames, {**network, "window": Window(settings.frames, LENGTH * length), "ordered": task == ORDERED}
    return ConvNet, network


def parents(source: Source) -> np.ndarray:
    """(N,) of which file each entry is."""
    rows = source.table["row"]
    return source.take(Draw(torch.arange(len(rows)), rows, {})).parents.numpy()


def labelled_splits(
    encoder: Encoder, sources: Sources, label: str, settings: ShortcutSettings, device: str
) -> dict[str, LabelledFeatures]:
    """By split, of the middle of every clip."""
    return {
        split: clip_features(encoder, source, label=label, times_per_clip=1, dims=settings.dims, device=device)
        for split, source in sources.items()
    }


def few_labels(
    untrained: Encoder, trained: Encoder, sources: Sources, label: str, settings: ShortcutSettings, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """(draws, N) right or wrong on the test split, of linear classifiers on what the untrained and the trained network
    make of `few_labels` training clips a class, drawn `few_draws` times. Block and penalty are chosen on validation,
    for all draws at once."""
    results = []
    for encoder in (untrained, trained):
        splits = labelled_splits(encoder, sources, label, settings, device)
        labels = {split: one.labels for split, one in splits.items()}
        draws = [_drawn(labels["train"], settings, number) for number in range(settings.few_draws)]
        best: tuple[float, np.ndarray] = (-1.0, np.zeros(0))
        for block in splits["train"].features.blocks:
            values = {split: one.features.blocks[block][:, 0] for split, one in splits.items()}
            for penalty in settings.penalties:
                layers = [
                    SoftmaxLayer(values["train"][one], labels["train"][one], penalty, settings.max_iterations)
                    for one in draws
                ]
                chosen = np.mean([layer.predict(values["validation"]) == labels["validation"] for layer in layers])
                if chosen > best[0]:
                    best = chosen, np.array([layer.predict(values["test"]) == labels["test"] for layer in layers])
        results.append(best[1].astype(float))
    return results[0], results[1]


def _drawn(labels: np.ndarray, settings: ShortcutSettings, number: int) -> np.ndarray:
    """Positions of `few_labels` examples of each class, or of all that there are."""
    generator = np.random.default_rng(derived_seed(settings.seed, "few labels", number))
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.concatenate([generator.permutation(one)[: settings.few_labels] for one in classes])


@dataclass(frozen=True)
class Comparison:
    """What is printed of a trial: two accuracies, their paired difference, and whether they are as they should be."""

    name: str
    first: Interval
    second: Interval
    gap: Interval


def compare(name: str, first: np.ndarray, second: np.ndarray, clusters: np.ndarray, bootstrap: Bootstrap) -> Comparison:
    """first, second: (S, N) right or wrong on the same examples."""
    given = {"draws": bootstrap.draws, "seed": bootstrap.seed}
    return Comparison(
        name,
        bootstrap_interval(first, clusters, **given),
        bootstrap_interval(second, clusters, **given),
        paired_difference(first, second, clusters, **given),
    )
