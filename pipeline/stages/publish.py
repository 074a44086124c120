"""publish: the report that params.yaml asks for, or one part of it, laid at reports/."""

import shutil

from pipeline import paths
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import open_receipt
from pipeline.parameters import Parameters, keys_of


def publish(parameters: Parameters, part: str = "") -> None:
    """Copies what a report is made of; part: of the lecture, alone."""
    scale, dataset = parameters.scale, parameters.dataset
    made, here = paths.report(scale, dataset), paths.published_report()
    names = [f"{part}.md"] if part else paths.report_files(dataset)
    copies = {made / name: here / name for name in names}
    with open_receipt(
        "publish",
        receipt=here / (f"{part}.receipt.json" if part else "receipt.json"),
        inputs=[*copies, fingerprints.check("publish", parameters, scale)],
        outputs=list(copies.values()),
        parameters=parameters.used(keys_of(parameters, "publish", scale, dataset)),
        identity={"scale": scale, "dataset": dataset, **({"part": part} if part else {})},
    ) as stage:
        for source, copy in copies.items():
            shutil.copyfile(source, stage.partial(copy))
