"""What was reached without seeing order: what a classifier that sees it is read against."""

from collections.abc import Iterable

from pipeline.tables.numbers import Measured

OF_ORDERED, OF_BLIND = "top1", "top1_blind"
"""How the metrics of a protocol with both heads begin."""


def best_order_blind(measured: Iterable[Measured]) -> dict[str, float]:
    """By the id of a number of a head that sees frames in order: the highest that any run, those told the labels
    included, reached on the same data with as many labels by a head on the frames' average, frozen or fine-tuned:
    under any protocol with both heads."""
    measured = list(measured)
    reached: dict[tuple[str, str], float] = {}
    both = set()
    for one in measured:
        if one.metric.startswith(OF_BLIND):
            on = one.id.split("/")[4]
            reached[on, one.metric] = max(one.value, reached.get((on, one.metric), 0.0))
            both.add((on, one.protocol, one.metric))
    found = {}
    for one in measured:
        if one.metric.startswith(OF_ORDERED) and not one.metric.startswith(OF_BLIND):
            on, blind = one.id.split("/")[4], one.metric.replace(OF_ORDERED, OF_BLIND, 1)
            if (on, one.protocol, blind) in both:
                found[one.id] = reached[on, blind]
    return found
