"""The pretext task on held-out entries: whether a method solves what it was trained on, and by how much."""

from typing import Any

import numpy as np
import torch
from torch import Generator

from selfsup.methods.method import PretextAnswers, Progress
from selfsup.probes.probe import Evaluation, Pretrained, Probe
from selfsup.source import Source
from selfsup.training.seeds import derived_seed

BATCH = 128  # entries that are asked about at once: also how many a contrastive task is asked to tell apart
DONE = Progress(1, 1)


class Pretext(Probe):
    """The method's own answers; nothing is fitted or chosen. Number `accuracy` for a classification, read against
    chance; `error` for anything else, read against a trivial answer. Views are drawn as in training, each test entry
    once; the last batch may be smaller."""

    table = "method"
    streams = ("frames",)
    asks = "pretext"
    uses = ("test",)
    labels: tuple[str, ...] = ()

    @torch.no_grad()
    def evaluate(
        self, pretrained: Pretrained, *, train: Source, validation: Source, test: Source, device: str, seed: int
    ) -> list[Evaluation]:
        """seed: of the views that are drawn. Only `test` is read."""
        method = pretrained.method
        assert method is not None
        method.to(device).eval()
        table = method.held_out(test.table)
        drawing, viewing = Generator(), Generator(device)
        rows, answers = [], []
        for number, indices in enumerate(torch.split(torch.arange(len(table["row"])), BATCH)):
            drawing.manual_seed(derived_seed(seed, "pretext draw", number))
            viewing.manual_seed(derived_seed(seed, "pretext views", number))
            batch = test.take(method.draw(table, indices, drawing, DONE)).to(device)
            answered = method.pretext(method.views(batch, viewing, DONE))
            rows.append(batch.rows.cpu()[answered.entries.cpu()].numpy())
            answers.append(answered)
        return [_evaluation(np.concatenate(rows), answers)]


def _evaluation(rows: np.ndarray, answers: list[PretextAnswers]) -> Evaluation:
    """rows: (N,), positions in the test split's index of the entries that the answers are about."""
    choice: dict[str, Any] = {"layer": "pretext"}
    if answers[0].errors is not None:
        errors = torch.cat([answer.errors for answer in answers if answer.errors is not None])
        trivial = [
            answer.trivial.mean().item() * len(answer.trivial) for answer in answers if answer.trivial is not None
        ]
        zeros = np.zeros(len(rows), dtype=np.int64)
        predictions = {
            "row": rows,
            "label": zeros,
            "prediction": zeros,
            "scores": errors.float().cpu().numpy()[:, None],
        }
        baselines = {"trivial": sum(trivial) / len(rows)} if trivial else {}
        return Evaluation("error", predictions, choice, [choice], baselines)
    scores = torch.cat([answer.scores for answer in answers if answer.scores is not None]).float().cpu().numpy()
    labels = torch.cat([answer.labels for answer in answers if answer.labels is not None])
    predictions = {
        "row": rows,
        "label": labels.cpu().numpy(),
        "prediction": scores.argmax(axis=1).astype(np.int64),
        "scores": scores,
    }
    return Evaluation("accuracy", predictions, choice, [choice], {"chance": 1 / scores.shape[1]})
