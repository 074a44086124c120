"""Whether params.yaml, the cards and the classes that it names fit together."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pipeline import cards
from pipeline.class_source import check_arguments, class_literal, encoders_of, entry_of, has_own
from pipeline.datasets import CROPS, DATASETS
from pipeline.errors import UserError, did_you_mean
from pipeline.parameters.models import Parameters, class_paths

NETWORKS = "selfsup.networks"
METHODS = "selfsup.methods"
PROBES = "selfsup.probes"


def check(parameters: Parameters, file: str) -> None:
    """Every name refers to something, and every argument is one that its class takes. Raises UserError: one line that
    names the key, what was expected and the nearest name."""
    cards.read_card(parameters.dataset)
    if parameters.scale not in parameters.scales:
        raise UserError(
            f"{file}: scale: unknown {parameters.scale!r}{did_you_mean(parameters.scale, parameters.scales)}"
        )
    if len(set(parameters.seeds)) != len(parameters.seeds):
        raise UserError(f"{file}: seeds: expected different numbers, found {parameters.seeds}")
    for name in parameters.datasets:
        cards.read_card(name)
    _check_starts(parameters, f"{file}: runs")
    for name in parameters.runs:
        _check_run(parameters, name, f"{file}: runs.{name}")
    for name in parameters.protocols:
        _check_protocol(parameters, name, f"{file}: protocols.{name}")
    for name in parameters.scales:
        _check_scale(parameters, name, f"{file}: scales.{name}")
    for name in parameters.runs:
        for protocol, reference in parameters.runs[name].evaluate.items():
            _check_evaluation(parameters, name, protocol, reference, f"{file}: runs.{name}.evaluate")


def _check_starts(parameters: Parameters, key: str) -> None:
    """`init_from` names runs, and no run begins with its own weights, over however many others."""
    for name, run in parameters.runs.items():
        _all_in(run.train.init_from.values(), parameters.runs, f"{key}.{name}.train.init_from")
    for name in parameters.runs:
        way = [name]
        waiting = [(source, [name, source]) for source in parameters.runs[name].train.init_from.values()]
        while waiting:
            source, way = waiting.pop()
            if source == name:
                raise UserError(f"{key}.{name}.train.init_from: expected no cycle, found {' from '.join(way)}")
            if source in way[:-1]:
                continue  # a cycle of others, which is named at one of them
            waiting += [(one, [*way, one]) for one in parameters.runs[source].train.init_from.values()]


def _check_run(parameters: Parameters, name: str, key: str) -> None:
    train = parameters.runs[name].train
    entry = entry_of(METHODS, train.method, f"{key}.train.method")
    _all_in(train.arguments_at, parameters.scales, f"{key}.train.arguments_at")
    for scale_name in parameters.scales:
        others = f"{key}.train.arguments" + (f" (scale {scale_name})" if scale_name in train.arguments_at else "")
        arguments = parameters.arguments(scale_name, name)
        check_arguments(entry, arguments, others)
        for path, given in _methods_in(arguments):
            check_arguments(entry_of(METHODS, path, others), given, f"{others}.{path}")
    if isinstance(label := train.arguments.get("label"), str):
        _check_label(label, train.on, f"{key}.train.arguments.label")
    roles = {*encoders_of(entry), *class_literal(entry, "teachers", ())}
    _all_in(train.init_from, dict.fromkeys(roles), f"{key}.train.init_from")
    for scale_name, scale in parameters.scales.items():
        _all_in([train.networks], scale.networks, f"{key}.train.networks (scale {scale_name})")
        _all_in([train.schedule], scale.schedules, f"{key}.train.schedule (scale {scale_name})")
        trains = scale.schedules[train.schedule] is not None
        for sizes in ("steps", "batch_size") if trains else ():
            given = getattr(train, sizes)
            if scale_name not in given:
                raise UserError(f"{key}.train.{sizes}.{scale_name}: missing; schedule {train.schedule!r} needs it")
        try:
            parameters.training(scale_name, name)
        except ValidationError as error:
            problem = error.errors()[0]
            place, said = problem["loc"], problem["msg"].removeprefix("Value error, ")
            where = "".join(f"{part}: " for part in place)
            raise UserError(f"{key}.train (scale {scale_name}): {where}{said[0].lower()}{said[1:]}") from None
    for sizes in ("steps", "batch_size", "learning_rate"):
        _all_in(getattr(train, sizes), parameters.scales, f"{key}.train.{sizes}")


def _check_protocol(parameters: Parameters, name: str, key: str) -> None:
    protocol = parameters.protocols[name]
    entry_of(PROBES, protocol.probe, f"{key}.probe")
    if protocol.label is not None:
        _check_label(protocol.label, protocol.on, f"{key}.label")


def _check_label(label: str, dataset: str, key: str) -> None:
    """Of the dataset that params.yaml names; of a folder that takes its place, its one label stands for any."""
    _all_in([label], {cards.MAIN: None, **cards.read_card(dataset).labels}, f"{key} (dataset {dataset})")


def _check_scale(parameters: Parameters, scale_name: str, key: str) -> None:
    scale = parameters.scales[scale_name]
    for name in (parameters.dataset, *parameters.datasets):
        if name not in scale.datasets and not cards.is_folder(name):
            raise UserError(f"{key}.datasets.{name}: missing: add the dataset's sizes")
    for name, settings in scale.datasets.items():
        if parent := cards.parent(name):
            check_arguments(CROPS, settings, f"{key}.datasets.{name}")
            _all_in([parent], scale.datasets, f"{key}.datasets ({name} is cut from it)")
            continue
        _all_in([name], DATASETS, f"{key}.datasets")
        check_arguments(DATASETS[name], settings, f"{key}.datasets.{name}")
        for split in cards.read_card(name).splits:
            if settings["clips"].get(split, 0) < 1:
                raise UserError(f"{key}.datasets.{name}.clips.{split}: expected at least 1, found none")
    for set_name, networks in scale.networks.items():
        for role, network in networks.items():
            here = f"{key}.networks.{set_name}.{role}"
            entry = entry_of(NETWORKS, str(network.get("network", "")), f"{here}.network")
            check_arguments(entry, {name: value for name, value in network.items() if name != "network"}, here)
    for name in parameters.runs:
        _check_training(parameters, scale_name, name, key)
    _all_in(list(scale.protocols), parameters.protocols, f"{key}.protocols")
    for name, protocol in parameters.protocols.items():
        if name not in scale.protocols:
            raise UserError(f"{key}.protocols.{name}: missing: add the protocol's sizes at this scale")
        twice = {"label", *protocol.arguments} & scale.protocols[name].keys()
        if twice:
            raise UserError(f"{key}.protocols.{name}.{min(twice)}: stands under protocols.{name} too; remove one")
        given = {**protocol.all_arguments(), **scale.protocols[name]}
        check_arguments(parameters.probe(name), given, f"{key}.protocols.{name}")


def _check_training(parameters: Parameters, scale_name: str, run: str, key: str) -> None:
    """A method gets the networks that it asks for, a schedule if it trains, and streams that are kept."""
    train, scale, entry = parameters.runs[run].train, parameters.scales[scale_name], parameters.entry(run)
    encoders, networks = encoders_of(entry), scale.networks[train.networks]
    if encoders != networks.keys():
        raise UserError(
            f"{key}.networks.{train.networks}: expected {', '.join(sorted(encoders))}, which run {run} takes, "
            f"found {', '.join(networks)}"
        )
    trains, scheduled = class_literal(entry, "trains", True), scale.schedules[train.schedule] is not None
    if scheduled and not trains:
        raise UserError(
            f"{key}.schedules.{train.schedule}: expected null, since the method of run {run} does not train"
        )
    if not scheduled and trains and has_own(entry, "fit"):
        # An untrained run counts as one that no clip has touched.
        raise UserError(
            f"{key}.schedules.{train.schedule}: expected a schedule, since the method of run {run} reads the data first"
        )
    for stream in class_literal(entry, "streams", ()):
        if stream not in scale.store.streams:
            raise UserError(f"{key}.store.streams: run {run} draws {stream}, which is not kept")


def _check_evaluation(parameters: Parameters, run: str, protocol: str, reference: str, key: str) -> None:
    """A protocol asks its question of methods that answer it, or takes the one encoder of its stream; the run that
    differences are taken to is evaluated likewise."""
    _all_in([protocol], parameters.protocols, key)
    _all_in([reference], parameters.runs, f"{key}.{protocol}")
    if protocol not in parameters.runs[reference].evaluate:
        raise UserError(
            f"{key}.{protocol}: run {reference} is not evaluated under {protocol}: add it to runs.{reference}.evaluate"
        )
    probe = parameters.probe(protocol)
    asks, streams = class_literal(probe, "asks", ""), class_literal(probe, "streams", ())
    if asks:
        if asks not in class_literal(parameters.entry(run), "answers", ()):
            raise UserError(f"{key}.{protocol}: asks for {asks}, which the method of run {run} does not answer")
        return
    for scale_name, scale in parameters.scales.items():
        networks = scale.networks[parameters.runs[run].train.networks]
        entries = [
            entry_of(NETWORKS, str(one.get("network", "")), f"scales.{scale_name}.networks")
            for one in networks.values()
        ]
        takes = [class_literal(entry, "streams", ()) for entry in entries]
        if takes.count(streams) != 1:
            raise UserError(
                f"{key}.{protocol}: needs one encoder of {' and '.join(streams)}: at scale {scale_name} run {run} has "
                f"{takes.count(streams)}"
            )


def _methods_in(arguments: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Other methods that arguments name by their paths, each with its own arguments."""
    found = [value for value in arguments.values() if isinstance(value, Mapping)]
    return [(path, given) for value in found for path, given in value.items() if class_paths(path)]


def _all_in(names: Any, known: Mapping[str, Any], key: str) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{key}: unknown {name!r}{did_you_mean(name, known)}")
