import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Generator

from selfsup.methods.image.multi_task import MultiTask
from selfsup.methods.image.rotation import Rotation
from selfsup.methods.image.supervised import Supervised
from selfsup.methods.method import Method, Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from selfsup.training.seeds import derived_seed
from tests.selfsup.schedules import SHORT

WHOLE = {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0}
ROTATION = {"turns": [0, 90, 180, 270], "crop": WHOLE}
TASKS: dict[str, dict[str, Any]] = {
    "image.rotation:Rotation": ROTATION,
    "image.supervised:Supervised": {"label": "colour", "crop": WHOLE},
}
ARGUMENTS = {"tasks": TASKS, "weights": {"rotation": 1.0, "supervised": 1.0}, "harmonised": False}
NETWORK = {"widths": [8, 16, 32], "side": 16}
START = Progress(0, 1)


def multi_task(**changed: Any) -> MultiTask:
    method = build(MultiTask, ARGUMENTS | changed, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, MultiTask)
    return method


def batch_of(source):
    return source.take(Method.draw(multi_task(), source.table, torch.arange(6), Generator(), START))


def test_losses_are_those_of_the_tasks_alone_on_the_same_weights(make_source) -> None:
    source = make_source(6)
    method = multi_task(weights={"rotation": 1.0, "supervised": 0.5})
    method.fit(source, Generator())
    views = method.eval().views(batch_of(source), Generator().manual_seed(0), START)
    losses = method.loss(views)
    alone = {}
    for name, task_class in (("rotation", Rotation), ("supervised", Supervised)):
        [path] = [path for path in TASKS if name in path]
        task = build(task_class, TASKS[path], {"encoder": (ConvNet, NETWORK)}, seed=0)
        task.fit(source, Generator())
        task.encoder.load_state_dict(method.encoder.state_dict())
        task.head.load_state_dict(method.tasks[name].head.state_dict())
        own = task.eval().views(batch_of(source), Generator().manual_seed(0), START)
        alone |= {f"{name}_{part}": loss.item() for part, loss in task.loss(own).items()}
    assert losses["rotation_rotation"].item() == pytest.approx(alone["rotation_rotation"])
    assert losses["supervised_label"].item() == pytest.approx(0.5 * alone["supervised_label"])
    assert losses.keys() == alone.keys()


def test_the_trunk_is_one_and_belongs_to_no_task(make_source) -> None:
    method = multi_task()
    method.fit(make_source(64), Generator())
    state = method.state_dict()
    storages = [value.data_ptr() for value in state.values()]
    assert len(set(storages)) == len(storages)
    assert {key.split(".")[0] for key in state} == {"encoder", "tasks"}
    assert {key for key in state if key.startswith("tasks")} == {
        f"tasks.{task}.head.linear.{part}" for task in ("rotation", "supervised") for part in ("weight", "bias")
    }
    assert list(method.encoders()) == ["encoder"]
    assert all(task.encoder is method.encoder for _, task in method.each())


@pytest.mark.parametrize("harmonised", [False, True])
def test_training_brings_all_losses_well_below_chance(make_source, harmonised: bool) -> None:
    tasks = {**TASKS, "image.supervised:Supervised": {"label": "light", "crop": WHOLE}}
    source = make_source(64)
    # Whether a picture is light or dark, which it stays without its colours.
    light = torch.arange(64) % 2
    source.clips = (source.clips * (0.5 + 0.5 * light.view(-1, 1, 1, 1, 1))).to(torch.uint8)
    source.labels, source.classes = {"light": light}, {"light": ["dark", "light"]}
    method = multi_task(tasks=tasks, harmonised=harmonised)
    before = {name: value.clone() for name, value in method.encoder.state_dict().items()}
    rows = pretrain(method, source, replace(SHORT, steps=40, batch_size=16, log_every=10), seed=0, device="cpu")
    assert rows[-1]["rotation_rotation"] < 0.3 * math.log(4)
    assert rows[-1]["supervised_label"] < 0.3 * math.log(2)
    assert not torch.equal(before["stages.0.0.weight"], method.encoder.state_dict()["stages.0.0.weight"])
    # The statistics that evaluation uses are the trunk's own, also where tasks were shown greys.
    assert method.encoder.state_dict()["stages.0.1.num_batches_tracked"] == 2 * 40


def test_harmonised_tasks_see_no_colours_and_probes_do(make_source) -> None:
    source = make_source(6)
    method = multi_task(harmonised=True)
    method.fit(source, Generator())
    batch = batch_of(source)
    views = method.views(batch, Generator().manual_seed(0), START)
    for images in (views["rotation"].images, views["supervised"].images):
        assert torch.equal(images[:, 0], images[:, 1])
        assert torch.equal(images[:, 0], images[:, 2])
        assert images.std() > 0.1
    colours = method.encoder.prepare(batch.streams)
    assert not torch.equal(colours[:, 0], colours[:, 1])


class Marked(Rotation):
    """A task whose fit adds a column, or leaves rows out."""

    rows = 64
    column = "cluster"

    def fit(self, source, generator):
        numbers = torch.randint(10**6, (self.rows,), generator=generator)
        return {name: column[: self.rows] for name, column in source.table.items()} | {self.column: numbers}


def with_task(method: MultiTask, name: str, **changed: Any) -> MultiTask:
    task = build(Marked, ROTATION, {"encoder": (ConvNet, NETWORK)}, seed=0)
    for attribute, value in changed.items():
        setattr(task, attribute, value)
    method.tasks[name] = task
    return method


def test_columns_that_fits_add_are_in_one_table(make_source) -> None:
    source = make_source(64)
    method = with_task(with_task(multi_task(), "one"), "other", column="class")
    table = method.fit(source, Generator().manual_seed(derived_seed(0, "fit")))
    assert set(table) == {"row", "time", "cluster", "class"}
    assert torch.equal(table["row"], source.table["row"])
    assert not torch.equal(table["cluster"], table["class"])


@pytest.mark.parametrize(
    ("changed", "said"), [({"rows": 10}, "10 rows of its own, the others from 64"), ({}, "another column 'cluster'")]
)
def test_tables_that_cannot_be_merged_are_refused(make_source, changed: dict, said: str) -> None:
    method = with_task(with_task(multi_task(), "one"), "other", **changed)
    with pytest.raises(ValueError, match=said):
        method.fit(make_source(64), Generator().manual_seed(0))


BIGAN = {"dims": 6, "grid": 2, "widths": [16, 32], "hidden": 64, "speed": 1.0, "crop": WHOLE}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tasks": {**TASKS, "image.nothing:Nothing": {}}}, "no class 'selfsup.methods.image.nothing:Nothing'"),
        ({"tasks": {"video.supervised:SupervisedVideo": {}}}, "other data than single frames"),
        ({"tasks": {**TASKS, "image.bigan:BiGAN": BIGAN}}, "a way of its own"),
        ({"tasks": {**TASKS, "image.data_dependent_init:DataDependentInit": {}}}, "a way of its own"),
        ({"tasks": {"image.rotation:Turned": {}}}, "not a method"),
        ({"tasks": {**TASKS, "image.rotation:Turned": {}}}, "two of the module rotation"),
        ({"tasks": {"image.rotation:Rotation": {"turns": [0, 90]}}}, "tasks.image.rotation:Rotation: .*'crop'"),
        ({"tasks": {"image.rotation:Rotation": {**ROTATION, "turns": [0, 45]}}}, "multiples of 90"),
        ({"weights": {"rotation": 1.0}}, "expected one each for .*rotation.*supervised"),
        ({"tasks": {}, "weights": {}}, "expected one each"),
    ],
)
def test_tasks_and_weights_that_do_not_fit_are_refused(changed: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        multi_task(**changed)
