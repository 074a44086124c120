"""Audio-visual correspondence: whether a frame and a stretch of sound are of the same clip, on pairs half of which are
(Arandjelovic and Zisserman, ICCV 2017, section 4.1, and ECCV 2018, section 3.1). Intervals are over frames' clips, with
the sounds that they were paired with.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Generator, Tensor

from selfsup.methods.audiovisual.ave_net import AVENet
from selfsup.methods.method import Progress
from selfsup.probes.probe import Evaluation, Pretrained, Probe
from selfsup.source import Source, TooLittleData
from selfsup.statistics.metrics import auc

BATCH = 256  # clips that go through the networks at once; changes what comes out by rounding only


class Correspondence(Probe):
    """The method's own answer; nothing is fitted, so that the training and validation splits are not read. Numbers
    `accuracy`, with the threshold that it was trained to, and `auc`, the area under the ROC curve, with any: a network
    that answers "different" to all is right in half of the cases, whatever its distances are worth."""

    table = "clips"
    streams = ("frames", "spectrogram")
    annotations = ("boxes",)
    asks = "correspondence"
    uses = ("test",)
    ranges: ClassVar = {"pairs": (1, 1000)}

    def __init__(self, *, label: str, pairs: int) -> None:
        """label: what sounds in a clip, for the semantic ceiling. pairs: of each test clip, matching ones; there are as
        many mismatched ones, each with the sound of another film."""
        self.label = label
        self.labels = (label,)
        self.pairs = pairs

    def evaluate(
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """seed: of frames, sounds and partners. Baselines: `chance`, and `ceiling`, what somebody reaches who knows
        what sounds in both clips of each pair and nothing else: mismatched pairs that sound alike are lost to them.

        Raises TooLittleData where more than half of the test clips are of one file.
        """
        method = pretrained.method
        assert isinstance(method, AVENet)
        method.to(device).eval()
        rows = test.table["row"]
        count = len(rows)
        generator = Generator().manual_seed(seed)
        scores, partners = [], []
        for _ in range(self.pairs):
            seen, heard, labels, films = embedded(method, test, generator, device)
            partner = of_other_films(films, generator)
            for sound in (torch.arange(count), partner):
                partners.append(sound)
                scores.append(method.logits(seen, heard[sound]).softmax(dim=-1).detach().cpu())
        other = torch.cat(partners)
        own = torch.arange(count).repeat(2 * self.pairs)
        probabilities = torch.cat(scores).numpy().astype(np.float32)
        same = (labels[own] == labels[other]).numpy()
        matching = (own == other).numpy()
        predictions = {
            "row": rows[own].numpy(),
            "partner": rows[other].numpy(),
            "label": matching.astype(np.int64),
            "prediction": probabilities.argmax(axis=1).astype(np.int64),
            "scores": probabilities,
        }
        choice = {"layer": "embedding"}
        ceilings = {
            "accuracy": float((same == matching).mean()),
            "auc": float(auc(predictions["label"], same.astype(np.float64)).mean()),
        }
        return [
            Evaluation(metric, predictions, choice, [choice], {"chance": 0.5, "ceiling": ceiling})
            for metric, ceiling in ceilings.items()
        ]


def of_other_films(films: Tensor, generator: Generator) -> Tensor:
    """films: (N,) int64, of which film each clip is -> (N,), for each the position of one of another film; all of them
    once. Raises TooLittleData where more than half are of one film."""
    _, numbered, counts = torch.unique(films, return_inverse=True, return_counts=True)
    most, count = int(counts.max()), len(films)
    if 2 * most > count:
        raise TooLittleData(
            f"correspondence: {most} of {count} test clips are of one file: it has too few to pair with"
        )
    order = torch.randperm(count, generator=generator)
    # Film by film, in a random order, and a shift by the longest: who stands there is of another one.
    place = torch.randperm(len(counts), generator=generator)[numbered[order]]
    order = order[place.argsort(stable=True)]
    partner = torch.empty_like(order)
    partner[order] = order.roll(most)
    return partner


@torch.no_grad()
def embedded(
    method: AVENet, source: Source, generator: Generator, device: str
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of every clip a frame's and a sound's embedding, (N, dims) each, what sounds (N,), of which file it is (N,)."""
    seen, heard, labels, parents = [], [], [], []
    for indices in torch.split(torch.arange(len(source.table["row"])), BATCH):
        batch = source.take(method.draw(source.table, indices, generator, Progress(0, 1))).to(device)
        seen.append(method.embed_frames(batch.streams["frames"], batch.streams["boxes"]))
        heard.append(method.embed_sounds(batch.streams["spectrogram"]))
        labels.append(next(iter(batch.labels.values())).cpu())
        parents.append(batch.parents.cpu())
    return torch.cat(seen), torch.cat(heard), torch.cat(labels), torch.cat(parents)
