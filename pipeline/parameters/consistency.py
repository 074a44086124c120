"""Whether params.yaml, the cards and the classes that it names fit together."""

from collections.abc import Mapping
from typing import Any

from pipeline import cards, paths
from pipeline.cards import read_card
from pipeline.class_source import check_arguments, class_literal, entry_of, has_own, keyword_arguments
from pipeline.datasets import CROPS, DATASETS
from pipeline.errors import UserError, did_you_mean
from pipeline.parameters.models import Parameters, Store
from pipeline.parameters.training import Training
from selfsup.methods import METHODS
from selfsup.networks import NETWORKS
from selfsup.probes import PROTOCOLS


def check(parameters: Parameters, file: str) -> None:
    """Every name refers to something, and every argument is one that its class takes."""
    card = read_card(parameters.dataset)
    if parameters.dataset not in (parameters.images, cards.parent(parameters.images)):
        raise UserError(
            f"{file}: images: expected {parameters.dataset} or stills that are cut from it, found {parameters.images!r}"
        )
    scale_names = list(parameters.scales)
    if parameters.scale not in scale_names:
        raise UserError(f"{file}: scale: unknown {parameters.scale!r}{did_you_mean(parameters.scale, scale_names)}")
    if len(set(parameters.seeds)) != len(parameters.seeds):
        raise UserError(f"{file}: seeds: expected different numbers, found {parameters.seeds}")
    for role, runs in parameters.pretrained:
        _all_in(runs, parameters.runs, f"{file}: pretrained.{role}")
    pretrained = dict.fromkeys(parameters.run_names())
    for name, suite in parameters.suites.items():
        _all_in(suite.runs, pretrained, f"{file}: suites.{name}.runs")
        _all_in(suite.protocols, parameters.protocols, f"{file}: suites.{name}.protocols")
        if len({_reads_features(parameters, one, f"{file}: protocols.{one}") for one in suite.protocols}) > 1:
            raise UserError(f"{file}: suites.{name}.protocols: some read features, others networks; part them")
        for member in suite.runs:
            for asked in suite.protocols:
                _check_evaluation(parameters, member, asked, f"{file}: suites.{name}")
    for name, run in parameters.runs.items():
        entry = entry_of(METHODS, run.method, f"{file}: runs.{name}.method")
        check_arguments(entry, run.arguments, f"{file}: runs.{name}.arguments")
    if paths.FEATURES in parameters.protocols:
        raise UserError(f"{file}: protocols.{paths.FEATURES}: the name of the folder of kept features; choose another")
    for name, protocol in parameters.protocols.items():
        entry_of(PROTOCOLS, protocol.probe, f"{file}: protocols.{name}.probe")
        known = {cards.MAIN: None, **card.labels}
        _all_in(
            [protocol.label] if protocol.label else [], known, f"{file}: protocols.{name}.label (dataset {card.name})"
        )
    for scale_name in scale_names:
        _check_scale(parameters, scale_name, f"{file}: scales.{scale_name}")


def _check_scale(parameters: Parameters, scale_name: str, key: str) -> None:
    scale = parameters.scales[scale_name]
    for name in (parameters.dataset, parameters.images):
        if name not in scale.datasets and not cards.is_folder(name):
            raise UserError(f"{key}.datasets.{name}: missing: add the dataset's sizes")
    for name, settings in scale.datasets.items():
        if parent := cards.parent(name):
            check_arguments(CROPS, settings, f"{key}.datasets.{name}")
            _all_in([parent], scale.datasets, f"{key}.datasets ({name} is cut from it)")
            continue
        check_arguments(entry_of(DATASETS, name, f"{key}.datasets"), settings, f"{key}.datasets.{name}")
        for split in read_card(name).splits:
            if settings["clips"].get(split, 0) < 1:
                raise UserError(f"{key}.datasets.{name}.clips.{split}: expected at least 1, found none")
    for name in parameters.run_names():
        if name not in scale.training:
            raise UserError(
                f"{key}.training.{name}: missing; run {name!r} is to be pretrained: add networks and schedule"
            )
    _all_in(list(scale.training), parameters.runs, f"{key}.training")
    for name, training in scale.training.items():
        _check_training(METHODS[parameters.runs[name].method], training, scale.store, f"{key}.training.{name}")
    _all_in(list(scale.protocols), parameters.protocols, f"{key}.protocols")
    for name, protocol in parameters.protocols.items():
        if name not in scale.protocols:
            raise UserError(f"{key}.protocols.{name}: missing: add the protocol's sizes at this scale")
        twice = {"label", *protocol.arguments} & scale.protocols[name].keys()
        if twice:
            raise UserError(f"{key}.protocols.{name}.{min(twice)}: stands under protocols.{name} too; remove one")
        given = {**protocol.all_arguments(), **scale.protocols[name]}
        check_arguments(PROTOCOLS[protocol.probe], given, f"{key}.protocols.{name}")


def _check_training(method: str, training: Training, store: Store, key: str) -> None:
    """method: its registry entry."""
    encoders = {name for name, one in keyword_arguments(method).items() if one.annotation == "Encoder"}
    if encoders != training.networks.keys():
        raise UserError(f"{key}.networks: expected {', '.join(sorted(encoders))}, found {', '.join(training.networks)}")
    for encoder, network in training.networks.items():
        here = f"{key}.networks.{encoder}"
        entry = entry_of(NETWORKS, str(network.get("name", "")), f"{here}.name")
        check_arguments(entry, {name: value for name, value in network.items() if name != "name"}, here)
    trains = class_literal(method, "trains", True)
    if training.schedule is not None and not trains:
        raise UserError(f"{key}.schedule: expected null, since its method does not train")
    if training.schedule is None and trains and has_own(method, "fit"):
        # An untrained run counts as one that no clip has touched.
        raise UserError(f"{key}.schedule: expected a schedule, since its method reads the data beforehand")
    for stream in class_literal(method, "streams", ()):
        if stream not in store.streams:
            raise UserError(f"{key}: its method draws {stream}, which is not in this scale's store.streams")


def _check_evaluation(parameters: Parameters, run: str, protocol: str, key: str) -> None:
    """A protocol asks its question of methods that answer it, or takes the one encoder of its stream."""
    probe = entry_of(PROTOCOLS, parameters.protocols[protocol].probe, f"protocols.{protocol}.probe")
    asks, streams = class_literal(probe, "asks", ""), class_literal(probe, "streams", ())
    if asks:
        if asks not in class_literal(METHODS[parameters.runs[run].method], "answers", ()):
            raise UserError(f"{key}: protocol {protocol} asks for {asks}, which run {run} does not answer; part them")
        return
    for scale_name, scale in parameters.scales.items():
        if run in scale.training:
            networks = scale.training[run].networks
            # An unknown network is named where its scale is checked.
            names = [str(one.get("name", "")) for one in networks.values()]
            if not all(name in NETWORKS for name in names):
                return
            takes = [class_literal(NETWORKS[name], "streams", ()) for name in names]
            if takes.count(streams) != 1:
                raise UserError(
                    f"{key}: protocol {protocol} needs one encoder of {' and '.join(streams)}: at scale {scale_name} "
                    f"run {run} has {takes.count(streams)}; part them"
                )


def _reads_features(parameters: Parameters, protocol: str, key: str) -> bool:
    entry = entry_of(PROTOCOLS, parameters.protocols[protocol].probe, f"{key}.probe")
    return bool(class_literal(entry, "reads_features", False))


def _all_in(names: list[str], known: Mapping[str, Any], key: str) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{key}: unknown {name!r}{did_you_mean(name, known)}")
