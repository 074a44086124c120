"""Classes by their path: every one that params.yaml names."""

import inspect
from types import UnionType
from typing import get_args, get_type_hints

import pytest
import yaml

from pipeline.class_source import encoders_of, keyword_arguments
from pipeline.parameters.models import class_paths
from pipeline.validation import Loader
from selfsup.class_path import METHODS, NETWORKS, PROBES, load
from selfsup.networks.encoder import Encoder
from selfsup.probes.probe import FeatureProbe
from tests.project import ROOT

GIVEN = yaml.load((ROOT / "params.yaml").read_text(), Loader=Loader)
OF_METHODS = {
    f"{METHODS}.{path}"
    for run in GIVEN["runs"].values()
    for path in (run["train"]["method"], *class_paths(run["train"].get("arguments", {})))
}
OF_NETWORKS = {
    f"{NETWORKS}.{network['network']}"
    for scale in GIVEN["scales"].values()
    for networks in scale["networks"].values()
    for network in networks.values()
}
OF_PROBES = {f"{PROBES}.{protocol['probe']}" for protocol in GIVEN["protocols"].values()}
ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@pytest.mark.parametrize("entry", sorted(OF_METHODS | OF_NETWORKS | OF_PROBES))
def test_every_class_loads_and_takes_keyword_arguments_without_defaults(entry: str) -> None:
    # A probe without a constructor has typing.Protocol's, of any arguments, until one is made.
    parameters = [one for one in inspect.signature(load(entry)).parameters.values() if one.kind not in ANY]
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in parameters)
    assert all(one.default is inspect.Parameter.empty for one in parameters)
    # params.yaml is held against what the source says, without importing it.
    assert list(keyword_arguments(entry)) == [one.name for one in parameters]


@pytest.mark.parametrize("entry", sorted(OF_METHODS))
def test_a_method_takes_encoders(entry: str) -> None:
    hints = get_type_hints(load(entry).__init__)
    kinds = {name: get_args(hint) if isinstance(hint, UnionType) else (hint,) for name, hint in hints.items()}
    encoders = {
        name for name, kind in kinds.items() if all(isinstance(one, type) and issubclass(one, Encoder) for one in kind)
    }
    assert encoders == encoders_of(entry) != set()


@pytest.mark.parametrize("entry", sorted(OF_PROBES))
def test_every_protocol_reads_what_a_source_or_a_method_has(entry: str) -> None:
    probe = load(entry)
    assert probe.uses
    assert set(probe.uses) <= {"train", "validation", "test"}
    assert {"frames", "spectrogram"} >= set(probe.streams) > set()
    answered = {answer for method in OF_METHODS for answer in load(method).answers}
    assert not probe.asks or probe.asks in answered
    # What stands in the class's own body is what params.yaml is held against.
    assert vars(probe).get("reads_features", False) == (FeatureProbe in probe.__mro__)
    if FeatureProbe in probe.__mro__:
        assert (probe.table, probe.streams, probe.asks) == ("clips", ("frames",), "")


@pytest.mark.parametrize("entry", ["selfsup.methods.image.rotatoin:Rotation", "selfsup.methods.image.rotation:Rotate"])
def test_a_class_that_is_not_there_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=f"no class '{entry}'"):
        load(entry)
