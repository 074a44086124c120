"""publish: the report that params.yaml asks for, laid at reports/."""

import shutil

from pipeline import paths
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import open_receipt
from pipeline.parameters import Parameters, keys_of


def publish(parameters: Parameters) -> None:
    """Copies what a report is made of."""
    scale, dataset = parameters.scale, parameters.dataset
    made, here = paths.report(scale, dataset), paths.published_report()
    copies = {made / name: here / name for name in paths.report_files(dataset)}
    with open_receipt(
        "publish",
        receipt=here / "receipt.json",
        inputs=[*copies, fingerprints.check("publish", parameters, scale)],
        outputs=list(copies.values()),
        parameters=parameters.used(keys_of("publish", scale, dataset)),
        identity={"scale": scale, "dataset": dataset},
    ) as stage:
        for source, copy in copies.items():
            shutil.copyfile(source, stage.partial(copy))
