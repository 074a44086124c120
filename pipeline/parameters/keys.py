"""Which keys of params.yaml each stage depends on."""

from typing import TYPE_CHECKING

from pipeline import cards

if TYPE_CHECKING:
    from pipeline.parameters.models import Parameters


def keys_of(parameters: "Parameters", stage: str, scale: str, dataset: str, name: str = "") -> list[str]:
    """The keys of params.yaml that a stage depends on; `name` is its run or protocol. dvc.yaml lists the same."""
    match stage:
        case "fetch":
            return [] if cards.is_folder(dataset) else [f"scales.{scale}.datasets.{dataset}"]
        case "crop":
            return [f"scales.{scale}.datasets.{dataset}"]
        case "decode":
            sizes = f"scales.{scale}.datasets"
            if cards.is_folder(dataset):
                shards = []
            elif parent := cards.parent(dataset):
                shards = [f"{sizes}.{dataset}.clips_per_shard", f"{sizes}.{parent}.clips"]
            else:
                shards = [f"{sizes}.{dataset}.clips"]
            return [f"scales.{scale}.store", *shards]
        case "mine":
            return [f"scales.{scale}.mining"]
        case "pretrain":
            train = parameters.runs[name].train
            return [
                f"runs.{name}.train",
                f"scales.{scale}.networks.{train.networks}",
                f"scales.{scale}.schedules.{train.schedule}",
                "watch",
                "device",
                f"scales.{scale}.threads",
            ]
        case "evaluate":
            return [
                f"protocols.{name}",
                f"scales.{scale}.protocols.{name}",
                f"scales.{scale}.features",
                "bootstrap",
                "device",
                f"scales.{scale}.threads",
            ]
        case "shortcuts":
            return [f"scales.{scale}.shortcuts", "bootstrap", "device", f"scales.{scale}.threads", "scale", "dataset"]
        case "report":
            return ["runs", "protocols", "seeds", "bootstrap"]
        case "publish" | "reel":
            return ["scale", "dataset"]
    raise ValueError(stage)
