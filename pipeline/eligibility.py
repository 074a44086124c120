"""Which runs and protocols a dataset allows, by its modality and labels, and why not the others."""

from collections.abc import Callable
from functools import cache
from typing import Any

from pipeline import layout
from pipeline.cards import MAIN, Card
from pipeline.parameters import Parameters
from pipeline.signatures import class_literal
from pipeline.store.streams import streams_of
from selfsup.methods import METHODS
from selfsup.probes import PROTOCOLS

CardOf = Callable[[str], Card]

OF_MOVING_PICTURES = ("tuples", "pairs")
"""Row tables whose rows hold several frames of a clip."""


@cache
def _literal(entry: str, name: str) -> Any:
    return class_literal(entry, name, ())


def against_run(parameters: Parameters, scale: str, card: Card, run: str) -> str | None:
    """Why a run cannot be pretrained on a dataset; None if it can."""
    chosen = parameters.runs[run]
    method = METHODS[chosen.method]
    there = streams_of(card.modality, parameters.at(scale).store.streams)
    missing = [stream for stream in _literal(method, "streams") if stream not in there]
    if missing:
        has = f"{' and '.join(there)} only" if there else "none of the streams"
        return f"needs {' and '.join(missing)}, and `{card.name}` has {has}"
    if card.modality == "image" and _literal(method, "table") in OF_MOVING_PICTURES:
        return f"needs several frames of a clip, and `{card.name}` has stills"
    return _against_label(card, chosen.arguments["label"]) if "label" in chosen.arguments else None


def against_protocol(parameters: Parameters, card: Card, protocol: str) -> str | None:
    """Why a protocol cannot be used on a dataset; None if it can."""
    chosen = parameters.protocols[protocol]
    absent = [split for split in layout.SPLITS if split not in card.splits]
    reason = _against_label(card, chosen.label)
    if reason is None and absent:
        reason = f"needs train, validation and test, and `{card.name}` has no {' and no '.join(absent)}"
    if reason is None and card.modality == "image" and _literal(PROTOCOLS[chosen.probe], "table") in OF_MOVING_PICTURES:
        reason = f"needs several frames of a clip, and `{card.name}` has stills"
    return reason


def _against_label(card: Card, label: str) -> str | None:
    if not card.labels:
        return "no labels"
    if label != MAIN and label not in card.labels:
        return f"needs the label {label}, and `{card.name}` has {', '.join(card.labels)} only"
    return None


def evaluations(parameters: Parameters, scale: str, dataset: str, card_of: CardOf) -> list[tuple[str, str, str]]:
    """Every (dataset, run, protocol) that the suites ask for in the report of a dataset, and that is possible."""
    return [
        (on, run, protocol)
        for on, run, protocol in parameters.evaluations(dataset)
        if against_run(parameters, scale, card_of(on), run) is None
        and against_protocol(parameters, card_of(on), protocol) is None
    ]


def runs(parameters: Parameters, scale: str, dataset: str, card_of: CardOf) -> list[tuple[str, str]]:
    """Every (dataset, run) likewise, evaluated or not."""
    asked = dict.fromkeys((on, run) for on, run, _ in parameters.evaluations(dataset))
    return [(on, run) for on, run in asked if against_run(parameters, scale, card_of(on), run) is None]


def not_run(parameters: Parameters, scale: str, card: Card) -> dict[str, str]:
    """By run or protocol of the suites: why it is not run on a dataset that is its own images."""
    protocols = parameters.protocol_names()
    reasons = {run: against_run(parameters, scale, card, run) for run in parameters.run_names()}
    reasons |= {protocol: against_protocol(parameters, card, protocol) for protocol in protocols}
    found = {name: reason for name, reason in reasons.items() if reason is not None}
    if not runs(parameters, scale, card.name, lambda _: card):
        found |= {name: "no run to evaluate" for name in protocols if name not in found}
    return found
