import inspect

import pytest

from selfsup.methods import METHODS
from selfsup.networks import NETWORKS
from selfsup.probes import PROTOCOLS
from selfsup.probes.metrics import PER_EXAMPLE
from selfsup.registry import load

ENTRIES = [(registry, name) for registry in (METHODS, NETWORKS, PROTOCOLS) for name in registry]


@pytest.mark.parametrize(("registry", "name"), ENTRIES, ids=[name for _, name in ENTRIES])
def test_every_entry_loads_and_takes_keyword_arguments_without_defaults(registry: dict[str, str], name: str) -> None:
    parameters = inspect.signature(load(registry, name)).parameters.values()
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)
    assert all(parameter.default is inspect.Parameter.empty for parameter in parameters)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocols_metrics_can_be_computed_from_its_predictions(name: str) -> None:
    metrics = load(PROTOCOLS, name).metrics
    assert metrics
    assert set(metrics) <= set(PER_EXAMPLE)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean 'rotation'"):
        load(METHODS, "rotatoin")
