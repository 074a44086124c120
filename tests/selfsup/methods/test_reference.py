from dataclasses import replace

import pytest
import torch

from selfsup.methods.image.supervised import Supervised
from selfsup.methods.reference import RandomInitialisation
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

NETWORKS = {"encoder": (ConvNet, {"widths": [8, 16], "side": 16})}
SUPERVISED = {"label": "colour", "crop": {"scale": [0.5, 1.0], "ratio": [0.75, 1.333], "flip": 0.5}}
SCHEDULE = replace(SHORT, steps=40, batch_size=32, log_every=10)


def test_random_initialisation_stays_as_it_was(make_source) -> None:
    method = build(RandomInitialisation, {}, NETWORKS, seed=0)
    before = {name: value.clone() for name, value in method.state_dict().items()}
    assert pretrain(method, make_source(8), None, seed=0, device="cpu") == []
    assert all(torch.equal(value, before[name]) for name, value in method.state_dict().items())
    assert not method.training


def test_supervised_learns_the_label(make_source) -> None:
    method = build(Supervised, SUPERVISED, NETWORKS, seed=0)
    assert method.labels == ("colour",)
    rows = pretrain(method, make_source(128, classes=4), SCHEDULE, seed=0, device="cpu")
    assert rows[-1]["label"] < 0.3
    # Read off the data, not off the arguments.
    assert method.head.linear.out_features == 4


def test_the_head_made_in_fit_follows_from_the_seed(make_source) -> None:
    heads = []
    for seed in (0, 0, 1):
        method = build(Supervised, SUPERVISED, NETWORKS, seed=0)
        pretrain(method, make_source(32), replace(SCHEDULE, steps=1, learning_rate=0.0), seed=seed, device="cpu")
        heads.append(method.head.linear.weight)
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_a_label_that_the_data_lack_is_named(make_source) -> None:
    method = build(Supervised, {**SUPERVISED, "label": "shape"}, NETWORKS, seed=0)
    with pytest.raises(ValueError, match="no label 'shape' in this dataset; it carries colour"):
        pretrain(method, make_source(32), SCHEDULE, seed=0, device="cpu")


def test_without_a_schedule_weights_stay_as_initialised_and_heads_are_made(make_source) -> None:
    method = build(Supervised, SUPERVISED, NETWORKS, seed=0)
    before = {name: value.clone() for name, value in method.state_dict().items()}
    assert pretrain(method, make_source(32), None, seed=0, device="cpu") == []
    after = method.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert "head.linear.weight" in after


def test_a_method_with_nothing_to_train_takes_no_schedule(make_source) -> None:
    method = build(RandomInitialisation, {}, NETWORKS, seed=0)
    with pytest.raises(ValueError, match="RandomInitialisation does not train: it takes no schedule"):
        pretrain(method, make_source(32), SCHEDULE, seed=0, device="cpu")
