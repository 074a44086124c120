"""features: what a run's frozen encoder of pictures makes of a dataset, once for all protocols that read it."""

from pipeline import paths, process
from pipeline.cards import read_card
from pipeline.errors import UserError, did_you_mean
from pipeline.lineage import fingerprints, receipts
from pipeline.lineage.receipts import open_receipt
from pipeline.parameters import Parameters, keys_of
from pipeline.run_files.weights import read_encoders
from pipeline.store.features import write_features
from pipeline.store.index import read_index
from pipeline.store.source import StoreSource
from selfsup.probes.features import frames_of, pooled_features
from selfsup.probes.probe import Pretrained
from selfsup.source import TooLittleData

STREAMS = ("frames",)
"""Of the encoder whose features are kept."""


def features(parameters: Parameters, scale: str, dataset: str, run: str, seed: int, on: str) -> None:
    """Writes `features.safetensors`. No label is read: who has labels reads them beside."""
    if run not in parameters.runs:
        raise UserError(f"{paths.PARAMETERS}: no run {run!r}{did_you_mean(run, parameters.runs)}")
    output = paths.features(scale, dataset, run, seed, on)
    weights = paths.run(scale, dataset, run, seed) / "model.safetensors"
    indices = {split: paths.index(scale, on, split) for split in paths.SPLITS}
    rows = {split: read_index(path) for split, path in indices.items()}
    shards = sorted({f"{shard}.arrow" for table in rows.values() for shard in table["shard"].unique()})
    with open_receipt(
        "features",
        receipt=paths.receipt_beside(output),
        inputs=[
            weights,
            *indices.values(),
            *(paths.decoded(scale, on) / shard for shard in shards),
            fingerprints.check("pretrain", parameters, scale, run),
            fingerprints.check("features", parameters, scale),
        ],
        outputs=[output],
        parameters=parameters.used(keys_of("features", scale, on)),
        identity={"scale": scale, "dataset": dataset, "run": run, "seed": seed, "on": on},
    ) as stage:
        device = process.device(parameters.device)
        sizes = parameters.at(scale).features
        frames = {"train": sizes.train_frames, "validation": sizes.test_frames, "test": sizes.test_frames}
        with process.enough_memory(
            f"{paths.PARAMETERS}: scales.{scale}.features: the memory of this machine's {device} is too small for "
            "it; make its numbers smaller"
        ):
            try:
                encoder = Pretrained(read_encoders(weights), None).encoder_of(STREAMS)
                made = {}
                for split, table in rows.items():
                    try:
                        source = StoreSource(paths.decoded(scale, on), table, "clips", {})
                    except TooLittleData:
                        if read_card(on).kind != "folder":
                            raise
                        continue  # whoever reads features says so
                    times = frames_of(source, frames[split])
                    made[split] = pooled_features(encoder, source, times_per_clip=times, dims=sizes.dims, device=device)
            except ValueError as error:
                raise UserError(f"features of {run} on {on} at scale {scale}: {error}") from error
            write_features(made, receipts.hashes({"weights": weights, **indices}), stage.partial(output))
        stage.notes |= {
            "device": device,
            "precision": "fp32",
            "threads": parameters.at(scale).threads,
            "clips": {split: len(one.rows) for split, one in made.items()},
        }
