"""What was reached without seeing order: what a classifier that sees it is read against."""

from collections.abc import Iterable

from pipeline.tables.numbers import Measured

OF_ORDERED, OF_BLIND = "top1", "top1_blind"
"""How the metrics of a protocol with both heads begin."""


def best_order_blind(measured: Iterable[Measured]) -> dict[str, float]:
    """By the id of a number of a head that sees frames in order: the highest that any run, those told the labels
    included, reached under the same protocol and with as many labels by a head on the frames' average."""
    measured = list(measured)
    reached: dict[tuple[str, ...], float] = {}
    for one in measured:
        key = _key(one)
        reached[key] = max(one.value, reached.get(key, 0.0))
    found = {}
    for one in measured:
        *place, metric = _key(one)
        if metric.startswith(OF_ORDERED) and not metric.startswith(OF_BLIND):
            blind = (*place, metric.replace(OF_ORDERED, OF_BLIND, 1))
            if blind in reached:
                found[one.id] = reached[blind]
    return found


def _key(one: Measured) -> tuple[str, ...]:
    """What numbers are compared under: the data evaluated on, the protocol and the metric."""
    *_, on, protocol, _layer, metric = one.id.split("/")
    return on, protocol, metric
