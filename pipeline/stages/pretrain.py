"""pretrain: one run with one seed, from the store to an encoder's weights."""

import json
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline import extra_inputs, paths, process, progress
from pipeline.cards import read_card
from pipeline.errors import UserError, did_you_mean
from pipeline.files import digest, discard, partial
from pipeline.lineage import fingerprints, receipts
from pipeline.lineage.receipts import open_receipt
from pipeline.parameters import Parameters, keys_of
from pipeline.run_files.checkpoint import read_checkpoint, write_checkpoint
from pipeline.run_files.scalars import events, write_log
from pipeline.run_files.watching import watch_of
from pipeline.run_files.weights import outcome, read_encoders, split_state, write_state
from pipeline.store import index
from pipeline.store.index import read_index
from pipeline.store.source import StoreSource
from selfsup.class_path import NETWORKS, load
from selfsup.methods.method import Method
from selfsup.networks.encoder import Encoder
from selfsup.probes.watch import ClipWatch
from selfsup.source import TooLittleData
from selfsup.training import Checkpoint, LogRow, NonFiniteLoss, Schedule, build, resolved_precision
from selfsup.training import pretrain as train

VERSIONS = ("numpy", "torch", "torchvision")
"""Of which a checkpoint has to be: another one may round or draw differently."""
UNTRAINED = {"steps": 0, "images_seen": 0}
"""Facts of a run that is not trained: random initialisation, or one that the data do not allow."""


def pretrain(parameters: Parameters, scale: str, dataset: str, run: str, seed: int) -> None:
    """Writes `model.safetensors` (the encoders' state, their networks' arguments as metadata), `heads.safetensors` (the
    rest of the method's: heads, and what `fit` computed) and `log.csv`; beside them, for as long as it runs, a
    checkpoint, and TensorBoard's event files."""
    if run not in parameters.runs:
        raise UserError(f"{paths.PARAMETERS}: runs: no run {run!r}{did_you_mean(run, parameters.runs)}")
    folder, store = paths.run(scale, dataset, run, seed), paths.decoded(scale, dataset)
    weights, heads, log = (folder / name for name in ("model.safetensors", "heads.safetensors", "log.csv"))
    chosen, training, entry = parameters.runs[run].train, parameters.training(scale, run), parameters.entry(run)
    device, card = process.device(parameters.device), read_card(dataset)
    indices = {split: paths.index(scale, dataset, split) for split in ("train", "validation") if split in card.splits}
    rows = {split: read_index(path) for split, path in indices.items()}
    shards = sorted({f"{shard}.arrow" for table in rows.values() for shard in table["shard"].unique()})
    objects = extra_inputs.objects(entry, scale, card)
    begins_with = {
        role: paths.run(scale, of, source, seed) for role, (source, of) in parameters.sources(run, dataset).items()
    }
    inputs = [
        *indices.values(),
        *extra_inputs.tuples(entry, scale, dataset, ["train"]),
        *objects,
        *(
            other / name
            for other in dict.fromkeys(begins_with.values())
            for name in ("model.safetensors", "heads.safetensors")
        ),
        paths.card(dataset),
        fingerprints.check("pretrain", parameters, scale, run),
    ]
    used = parameters.used(keys_of(parameters, "pretrain", scale, dataset, run))
    kept = paths.checkpoint(scale, dataset, run, seed)
    with open_receipt(
        "pretrain",
        receipt=folder / "receipt.json",
        inputs=[*inputs, *(store / shard for shard in shards)],
        outputs=[weights, heads, log],
        parameters=used,
        identity={"scale": scale, "dataset": dataset, "run": run, "seed": seed},
    ) as stage:
        batch_size = training.schedule.batch_size if training.schedule else 0
        too_small = (
            f"{paths.PARAMETERS}: runs.{run}.train.batch_size.{scale}: the memory of this machine's "
            f"{device} is too small for batches of {batch_size} of this network; make either smaller"
        )
        try:
            with process.enough_memory(too_small):
                networks = {name: _network(described) for name, described in training.networks.items()}
                given = card.arguments(parameters.arguments(scale, run))
                method = build(load(entry), given, networks, seed)
                for role, other in begins_with.items():
                    method.begin_with(role, read_encoders(other / "model.safetensors"))
                schedule = Schedule(**training.schedule.model_dump()) if training.schedule else None
                precision = resolved_precision(schedule.precision, device) if schedule else None
                watch = None
                belongs = digest(
                    {
                        "parameters": used,
                        "inputs": [receipts.describe(path)["md5"] for path in inputs],
                        "seed": seed,
                        "device": device,
                        "precision": precision,
                        "versions": {name: metadata.version(name) for name in VERSIONS},
                    }
                )
                # Somebody's own folder is as small as it is: its runs train on what there is, or say that they cannot.
                own, refused = card.kind == "folder", None
                try:
                    source = StoreSource(store, rows["train"], method.table, card.classes_of(method.labels), *objects)
                    if schedule and schedule.watch_every:
                        watch, stage.notes["watch"] = watch_of(
                            parameters.watch, store, rows["train"], rows.get("validation"), card, seed
                        )
                    history, facts = _trained(method, source, schedule, seed, device, watch, folder, kept, belongs, own)
                except TooLittleData as error:
                    if not own:
                        raise
                    refused, history, facts = str(error), [], UNTRAINED
        except ValueError as error:
            raise UserError(f"{paths.PARAMETERS}: run {run} at scale {scale}: {error}") from error
        state = {key: value.detach().cpu().contiguous() for key, value in method.state_dict().items()}
        encoders, rest = split_state(state, list(training.networks))
        write_state(encoders, stage.partial(weights), {"networks": json.dumps(training.networks, sort_keys=True)})
        # One key: safetensors writes several in any order, and the same weights are to be the same bytes.
        # A method that reads the data before it trains has seen them, trained or not.
        trained = (schedule is not None or type(method).fit is not Method.fit) and not refused
        begun = any(outcome(other / "heads.safetensors").trained for other in begins_with.values())
        described = {"name": chosen.method, "arguments": given, "trained": trained or begun}
        described |= {"refused": refused} if refused else {}
        write_state(rest, stage.partial(heads), {"method": json.dumps(described, sort_keys=True)})
        write_log(history, stage.partial(log))
        if trained:
            md5 = receipts.describe(indices["train"])["md5"]
            stage.used_clips("trained on", dataset, "train", md5, len(index.usable(rows["train"])))
        if watch is not None and not refused and stage.notes["watch"]["split"] == "validation":
            md5 = receipts.describe(indices["validation"])["md5"]
            stage.used_clips("watched on", dataset, "validation", md5, len(watch.entries))
        stage.notes |= facts | ({"refused": refused} if refused else {})
        stage.notes |= {
            "device": device,
            "precision": precision,
            "seed": seed,
            "threads": parameters.at(scale).threads,
            "parameters_of_encoder": sum(
                parameter.numel() for encoder in method.encoders().values() for parameter in encoder.parameters()
            ),
        }
    # Only now: until the outputs stand, it is all that there is of the run.
    discard(kept)


def _trained(
    method: Method,
    source: StoreSource,
    schedule: Schedule | None,
    seed: int,
    device: str,
    watch: ClipWatch | None,
    folder: Path,
    kept: Path,
    belongs: str,
    own: bool,
) -> tuple[list[LogRow], dict[str, Any]]:
    """The log, and facts for the receipt."""
    discard(partial(kept))
    if schedule is None:
        return train(method, source, schedule, seed, device), UNTRAINED
    resume = read_checkpoint(kept, belongs)
    first = last = resume.step if resume else 0
    started = time.perf_counter()
    with (
        progress.training(f"{folder.parent.name}, seed {seed}", schedule.steps, first) as shown,
        events(folder / paths.TENSORBOARD, first) as write,
    ):

        def on_log(row: LogRow) -> None:
            shown.row(row)
            write(row)

        def on_checkpoint(taken: Checkpoint) -> None:
            nonlocal last
            write_checkpoint(kept, taken, belongs)
            last = taken.step

        try:
            history = train(
                method,
                source,
                schedule,
                seed,
                device,
                on_log,
                on_step=shown.step,
                on_checkpoint=on_checkpoint,
                resume=resume,
                watch=watch,
                smaller_batches=own,
            )
        except NonFiniteLoss as error:
            where = (
                f"the last good checkpoint, after step {last}, is kept: {kept}" if last else "no checkpoint was taken"
            )
            raise NonFiniteLoss(f"{error}; {where}") from error
    seconds = time.perf_counter() - started
    images = int(history[-1]["images"])
    batch_size = images // schedule.steps
    return history, {
        **({"batch_size": batch_size} if batch_size < schedule.batch_size else {}),
        "steps": schedule.steps,
        "images_seen": images,
        "resumed_from_step": resume.step if resume else None,
        "seconds_of_training": round(seconds, 2),
        "images_per_second": round((schedule.steps - first) * batch_size / seconds, 1),
    }


def _network(described: dict[str, Any]) -> tuple[type[Encoder], dict[str, Any]]:
    arguments = {key: value for key, value in described.items() if key != "network"}
    return load(f"{NETWORKS}.{described['network']}"), arguments
