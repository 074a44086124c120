"""Which runs and protocols a dataset allows, by its modality and labels, and why not the others."""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

from pipeline import extra_inputs, paths
from pipeline.cards import Card, read_card
from pipeline.class_source import class_literal
from pipeline.parameters import Parameters
from pipeline.parameters.models import Asked, Protocol
from pipeline.store.streams import OF_MODALITY, PICTURES, SOUNDS
from selfsup.class_path import NETWORKS

CardOf = Callable[[str], Card]

OF_MOVING_PICTURES = ("tuples", "pairs")
"""Row tables whose rows hold several frames of a clip."""
MOVING = {"flow", "motion"}
"""Streams that are of several frames."""


@cache
def _literal(entry: str, name: str) -> Any:
    return class_literal(entry, name, ())


def against_run(parameters: Parameters, scale: str, card: Card, run: str) -> str | None:
    """Why a run cannot be pretrained on a dataset; None if it can, and those can that it begins with."""
    train, method = parameters.runs[run].train, parameters.entry(run)
    for source, of in parameters.sources(run, card.name).values():
        if reason := against_run(parameters, scale, card if of == card.name else read_card(of), source):
            return f"begins with `{source}`, which {reason}"
    networks = parameters.at(scale).networks[train.networks].values()
    for entry in (method, *(f"{NETWORKS}.{network['network']}" for network in networks)):
        if reason := _against_streams(parameters, scale, card, entry):
            return reason
    told = _literal(method, "only_annotated") or {}
    needs = bool(_literal(method, "needs_annotations")) or any(
        train.arguments[name] == value for name, value in told.items()
    )
    if needs and not extra_inputs.knows(card):
        return f"needs to be told what a frame shows, which is not known of `{card.name}`"
    return _against_label(card, train.arguments["label"]) if "label" in train.arguments else None


def against_protocol(parameters: Parameters, scale: str, card: Card, protocol: str) -> str | None:
    """Why a protocol cannot be used on a dataset; None if it can."""
    chosen = parameters.protocols[protocol]
    probe = parameters.probe(protocol)
    absent = [split for split in paths.SPLITS if split not in card.splits]
    reason = _against_streams(parameters, scale, card, probe)
    if reason is None and chosen.label is not None:
        reason = _against_label(card, chosen.label)
    if reason is None and absent:
        reason = f"needs train, validation and test, and `{card.name}` has no {' and no '.join(absent)}"
    return reason


def _against_streams(parameters: Parameters, scale: str, card: Card, entry: str) -> str | None:
    """entry: of a method, network or probe, with literals `streams`, `table` and perhaps `moving`."""
    kept = parameters.at(scale).store.streams
    wanted = _literal(entry, "streams")
    moves = _literal(entry, "table") in OF_MOVING_PICTURES or _literal(entry, "moving") or MOVING & set(wanted)
    if card.modality == "image" and moves:
        return f"needs several frames of a clip, and `{card.name}` has stills"
    if missing := _shown(set(wanted) - set(OF_MODALITY[card.modality])):
        return f"needs {missing}, and `{card.name}` has {_shown(OF_MODALITY[card.modality])} only"
    if dropped := [stream for stream in wanted if stream not in kept]:
        return f"needs {' and '.join(dropped)}, which store.streams of params.yaml does not keep"
    return None


def _shown(streams: Collection[str]) -> str:
    """What streams are made of: pictures, sound."""
    made_of = {"pictures": PICTURES, "sound": SOUNDS}
    return " and ".join(name for name, those in made_of.items() if set(those) & set(streams))


def _against_label(card: Card, label: str) -> str | None:
    if not card.labels:
        return f"needs labels, and `{card.name}` has none"
    if not card.means_main(label) and label not in card.labels:
        return f"needs the label {label}, and `{card.name}` has {', '.join(card.labels)} only"
    return None


def label_of(protocol: Protocol, card: Card) -> str:
    """The label that a protocol predicts on a dataset that allows it. Raises KeyError for a protocol without labels."""
    label: str = card.arguments(protocol.all_arguments())["label"]
    return label


def evaluations(parameters: Parameters, scale: str, dataset: str, card_of: CardOf) -> list[Asked]:
    """Every evaluation that the report of a dataset asks for, and that is possible."""
    return [
        asked
        for asked in parameters.evaluations(dataset)
        if against_run(parameters, scale, card_of(asked.of), asked.run) is None
        and against_protocol(parameters, scale, card_of(asked.on), asked.protocol) is None
    ]


def runs(parameters: Parameters, scale: str, dataset: str, card_of: CardOf) -> list[tuple[str, str]]:
    """Every (dataset, run) likewise, evaluated or not."""
    return [
        (of, run) for of, run in parameters.runs_of(dataset) if against_run(parameters, scale, card_of(of), run) is None
    ]


def not_run(parameters: Parameters, scale: str, card: Card) -> tuple[dict[str, str], dict[str, str]]:
    """By run and by protocol of the suites: why it is not run on a dataset that is its own images."""
    names = list(dict.fromkeys(protocol for run in parameters.runs.values() for protocol in run.evaluate))
    against = {run: against_run(parameters, scale, card, run) for run in parameters.runs}
    forbidden = {protocol: against_protocol(parameters, scale, card, protocol) for protocol in names}
    if not runs(parameters, scale, card.name, lambda _: card):
        forbidden = {protocol: reason or "no run to evaluate" for protocol, reason in forbidden.items()}
    return _known(against), _known(forbidden)


def _known(reasons: dict[str, str | None]) -> dict[str, str]:
    return {name: reason for name, reason in reasons.items() if reason is not None}
