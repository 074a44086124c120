"""Action recognition by fine-tuning: a copy of the encoder, all of its layers trained with labels, as Shuffle and Learn
is evaluated (Misra, Zitnick and Hebert, ECCV 2016, section 4.2).

Two heads, each trained with its own copy: one on a window's frames in their order, like the reference that is trained
with labels from the start, and one on their average, which sees no order beyond what the network takes in with a frame
(which of them the others are shifted onto). The paper classifies single frames, each seen alone, and averages 25.

A copy's kernels are brought to the length of an initialisation first, which changes nothing that it computes.
Pretraining lengthens them, and a long kernel turns less at the same rate: a rate that suits random weights would be too
low for pretrained ones. Nothing is chosen: the last step's network is scored. Steps and rate are those that params.yaml
has for every run alike, so training does not go on to a plateau.
"""

import copy
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from selfsup.methods.video.supervised import SupervisedVideo
from selfsup.networks.encoder import Encoder, window_times
from selfsup.networks.heads import PooledClassifier
from selfsup.networks.rescaling import normalised_convolutions, rescale
from selfsup.probes.features import clip_times, labels_of
from selfsup.probes.probe import Evaluation, Pretrained, Probe
from selfsup.probes.selection import check_labels, few_of_each
from selfsup.source import Batch, Draw, Source, Table
from selfsup.training import Schedule, pretrain
from selfsup.views.geometry import RandomCrop

BATCH = 64  # clips that go through the network at once; changes what comes out by rounding only


class OrderBlindVideo(SupervisedVideo):
    """With a head on the average of the frames' features: the average of single frames' logits."""

    def classifier(self, classes: int) -> PooledClassifier:
        """Of the averages of the last block over space and time."""
        return PooledClassifier(self.encoder, classes)


class FinetunedAction(Probe):
    """Numbers `top1` and `top1_few` of the ordered head, `top1_blind` and `top1_blind_few` of the other one."""

    table = "clips"
    streams = ("frames",)
    asks = ""
    uses = ("train", "test")
    moving = True
    ranges: ClassVar = {
        "steps": (1, 10_000_000),
        "few_steps": (1, 10_000_000),
        "batch_size": (1, 100_000),
        "learning_rate": (1e-9, 10),
        "few_labels": (1, 1_000_000),
    }

    def __init__(
        self,
        *,
        label: str,
        steps: int,
        few_steps: int,
        batch_size: int,
        learning_rate: float,
        precision: Literal["fp32", "bf16", "auto"],
        few_labels: int,
        crop: RandomCrop,
    ) -> None:
        """label: the clip's label to predict. steps, few_steps: with all labels and with few. batch_size,
        learning_rate: of AdamW, cosine decay after a tenth of the steps' warm-up; with fewer clips than a batch, all of
        them are one. precision: of the forward pass, see `Schedule`. few_labels: training clips a class, drawn once.
        crop: see `SupervisedVideo`.
        """
        self.label = label
        self.labels = (label,)
        self.steps, self.few_steps = steps, few_steps
        self.batch_size, self.learning_rate = batch_size, learning_rate
        self.precision = precision
        self.few_labels = few_labels
        self.crop = crop

    def evaluate(
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """seed: of the few labels, the head and the training. Validation is not read. Raises ValueError for one class
        among the training clips, NonFiniteLoss for a loss that is not finite."""
        encoder, rescaled = at_initial_norms(pretrained.encoder_of(self.streams))
        labels = labels_of(train, self.label)
        check_labels("fine-tuning", self.label, labels)
        few = few_of_each(labels, self.few_labels, 1, np.random.default_rng((seed, 1)))
        classes = len(train.classes[self.label])
        numbers = []
        for head, reference in (("", SupervisedVideo), ("_blind", OrderBlindVideo)):
            for amount, chosen, steps in (("", np.arange(len(labels)), self.steps), ("_few", few[0], self.few_steps)):
                method = reference(encoder=copy.deepcopy(encoder), label=self.label, crop=self.crop)
                self._tune(method, Subset(train, torch.from_numpy(chosen)), steps, device, seed)
                rows, truth, scores = answers(method, test, device)
                predictions = {
                    "row": rows,
                    "label": truth,
                    "prediction": scores.argmax(axis=1).astype(np.int64),
                    "scores": scores,
                }
                choice = {"layer": "finetuned", "rescaled": rescaled}
                baselines = {"chance": 1 / classes}
                numbers.append(Evaluation(f"top1{head}{amount}", predictions, choice, [choice], baselines))
        return numbers

    def _tune(self, method: SupervisedVideo, source: Source, steps: int, device: str, seed: int) -> None:
        schedule = Schedule(
            steps=steps,
            batch_size=min(self.batch_size, len(source.table["row"])),
            optimiser="adamw",
            learning_rate=self.learning_rate,
            momentum=0.9,
            weight_decay=0.05,
            warmup_steps=steps // 10,
            decay="cosine",
            decay_at=(),
            decay_factor=1.0,
            precision=self.precision,
            log_every=steps,
            checkpoint_every=0,
            watch_every=0,
        )
        pretrain(method, source, schedule, seed, device)


def at_initial_norms(encoder: Encoder) -> tuple[Encoder, bool]:
    """A copy that computes the same, with kernels as long as PyTorch initialises them, so that networks that were
    pretrained differently learn alike at one rate; and whether it could be: a network in which not every convolution is
    normalised is copied as it is. PyTorch draws weights evenly within 1 / sqrt(inputs): squared and summed they are a
    third of the outputs."""
    try:
        norms = [(convolution.out_channels / 3) ** 0.5 for convolution, _ in normalised_convolutions(encoder)]
    except ValueError:
        return copy.deepcopy(encoder), False
    return rescale(encoder, norms), True


class Subset:
    """Some entries of a source."""

    def __init__(self, source: Source, entries: Tensor) -> None:
        """entries: (M,) int64, into the source's table."""
        self.source = source
        self.table: Table = {name: column[entries] for name, column in source.table.items()}
        self.classes = source.classes

    def take(self, draw: Draw) -> Batch:
        """See `selfsup.source.Source.take`."""
        return self.source.take(draw)


@torch.no_grad()
def answers(method: SupervisedVideo, source: Source, device: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every clip, by the window in its middle: its row (N,), label (N,) and probabilities (N, classes) float32."""
    rows = source.table["row"]
    centres = clip_times(source.table, 1)[:, 0]
    labels, scores = [], []
    for indices in torch.split(torch.arange(len(rows)), BATCH):
        windows = method.encoder.windows
        times = {stream: window_times(centres[indices], window) for stream, window in windows.items()}
        batch = source.take(Draw(indices, rows[indices], times)).to(device)
        blocks = method.encoder.blocks(method.encoder.prepare(batch.streams))
        scores.append(method.head(blocks).softmax(dim=1).cpu())
        labels.append(batch.labels[method.label].cpu())
    return rows.numpy(), torch.cat(labels).numpy(), torch.cat(scores).numpy().astype(np.float32)
