import inspect

import numpy as np
import pytest
from selfsup.registry import load

from selfsup.methods import METHODS
from selfsup.networks import NETWORKS
from selfsup.probes import PROTOCOLS
from selfsup.probes.probe import FeatureProbe
from selfsup.statistics.metrics import per_example

ENTRIES = [(registry, name) for registry in (METHODS, NETWORKS, PROTOCOLS) for name in registry]


@pytest.mark.parametrize(("registry", "name"), ENTRIES, ids=[name for _, name in ENTRIES])
def test_every_entry_loads_and_takes_keyword_arguments_without_defaults(registry: dict[str, str], name: str) -> None:
    parameters = inspect.signature(load(registry, name)).parameters.values()
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)
    assert all(parameter.default is inspect.Parameter.empty for parameter in parameters)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_reads_what_a_source_or_a_method_has(name: str) -> None:
    probe = load(PROTOCOLS, name)
    assert probe.uses
    assert set(probe.uses) <= {"train", "validation", "test"}
    answered = {answer for entry in METHODS for answer in load(METHODS, entry).answers}
    assert not probe.asks or probe.asks in answered
    assert {"frames", "spectrogram"} >= set(probe.streams) > set()
    # What stands in the class's own body is what params.yaml is held against.
    assert vars(probe).get("reads_features", False) == (FeatureProbe in probe.__mro__)
    if FeatureProbe in probe.__mro__:
        assert (probe.table, probe.streams, probe.asks) == ("clips", ("frames",), "")


def test_a_numbers_kind_is_its_names_first_part() -> None:
    columns = {"label": np.array([0, 1]), "prediction": np.array([0, 0])}
    assert per_example("top1_blind_few")(columns).tolist() == [1, 0]
    with pytest.raises(ValueError, match="bleu_few: not known of one example"):
        per_example("bleu_few")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean 'rotation'"):
        load(METHODS, "rotatoin")
