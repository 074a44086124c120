"""Every run of params.yaml trains on real clips, although the pipeline itself is run with a few of them."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline import extra_inputs, paths
from pipeline.cards import read_card
from pipeline.parameters import read_parameters
from pipeline.stages.pretrain import _network
from pipeline.store.index import read_index
from pipeline.store.source import StoreSource
from selfsup.class_path import load
from selfsup.probes.finetuned import Subset
from selfsup.probes.pretext import Pretext
from selfsup.probes.probe import Pretrained
from selfsup.training import Schedule, build, pretrain
from tests.project import ROOT, Project, read_settings

pytestmark = pytest.mark.slow

ENTRIES, BATCH = 12, 6


@pytest.mark.skip(reason="not yet run whole: a minute or more of two cores")
@pytest.mark.parametrize("run", read_settings(ROOT / "params.yaml")["runs"])
def test_a_run_trains_two_steps_and_answers_its_pretext_task(
    made_once: Project, monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    given = read_parameters(ROOT / "params.yaml")
    train, training, entry = given.runs[run].train, given.training("smoke", run), given.entry(run)
    monkeypatch.chdir(made_once.root)
    card, store = read_card(train.on), paths.decoded("smoke", train.on)
    networks = {name: _network(described) for name, described in training.networks.items()}
    method = build(load(entry), card.arguments(train.arguments), networks, seed=0)

    def source(split: str) -> Subset:
        rows = read_index(paths.index("smoke", train.on, split))
        objects: list[Path] = extra_inputs.objects(entry, "smoke", card)
        whole = StoreSource(store, rows, method.table, card.classes_of(method.labels), *objects)
        return Subset(whole, torch.arange(min(ENTRIES, len(whole.table["row"]))))

    schedule = None
    if training.schedule is not None:
        sizes: dict[str, Any] = {"steps": 2, "batch_size": BATCH, "warmup_steps": 0, "log_every": 1}
        schedule = replace(Schedule(**training.schedule.model_dump()), **sizes, watch_every=0, checkpoint_every=0)
    rows = pretrain(method, source("train"), schedule, seed=0, device="cpu")
    assert len(rows) == (2 if schedule else 0)
    assert all(math.isfinite(value) for row in rows for value in row.values())
    if "pretext" in method.answers:
        test = source("test")
        [number] = Pretext().evaluate(
            Pretrained(method.encoders(), method), train=test, validation=test, test=test, device="cpu", seed=0
        )
        assert number.metric in ("accuracy", "error")
        assert len(number.predictions["row"]) >= ENTRIES
