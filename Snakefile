"""The whole DAG. `snakemake --cores all reports/table.md` makes the report that params.yaml asks for.

    card, params ─ fetch ─ decode (a job a shard) ─ index (a job a split) ─ pretrain ─ evaluate ─ report ─ publish
    beside it:     crop (stills out of clips) ─ decode ─ index; mine (after index); features (after pretrain, for all
                   protocols that read them); shortcuts (after all data); reel (after the index of the training clips)

No rule depends on source files: each depends on the fingerprint of the code that it reaches, refreshed here.
"""

import sys

from snakemake.utils import min_version

min_version("9.27")

from pipeline import cards, jobs, machine, paths, process, terminal
from pipeline.dag import EVALUATION_FILES, Dag
from pipeline.errors import UserError
from pipeline.files import discard
from pipeline.lineage import dvc_sync, exclusions
from pipeline.parameters import read_parameters

process.rules_use_this_environment()
try:
    PARAMETERS = read_parameters()
    # Once, by the process that plans: a job, here or on a cluster, must find the code as it was when the DAG was made.
    if workflow.is_main_process:
        for scale in PARAMETERS.scales:
            dvc_sync.refresh(PARAMETERS, scale)
        for line in exclusions.warnings(PARAMETERS.scales):
            print(line, file=sys.stderr)
    dag = Dag(PARAMETERS)
    dag.check_targets(sys.argv[1:])
except UserError as error:
    sys.exit(f"error: {error}")

# As many jobs at once as fit into this machine; --resources goes before. On a cluster its profile says what there is.
if workflow.is_main_process and workflow.local_exec:
    for name, amount in machine.resources(
        PARAMETERS.device, PARAMETERS.jobs_per_gpu
    ).items():
        if name not in workflow.global_resources:
            workflow.register_resource(name, amount)
GPU = machine.gpu_of_a_job(
    PARAMETERS.device,
    workflow.global_resources["gpu"].value if "gpu" in workflow.global_resources else 0,
)


wildcard_constraints:
    scale="|".join(PARAMETERS.scales),
    dataset="[a-z0-9][a-z0-9_-]*",
    on="[a-z0-9][a-z0-9_-]*",
    split="train|validation|test",
    shard="[0-9]{3}",
    run="|".join(PARAMETERS.runs),
    protocol="|".join(PARAMETERS.protocols),
    seed="[0-9]+",
    part="|".join(paths.PARTS),


include: "pipeline/rules/data.smk"
include: "pipeline/rules/pretrain.smk"
include: "pipeline/rules/evaluate.smk"
include: "pipeline/rules/report.smk"


localrules:
    table,
    data,
    pretrain_all,
    evaluate_all,


rule table:
    """The report that params.yaml asks for."""
    default_target: True
    input:
        "reports/table.md",


onstart:
    # A job that fails must not leave a table that no longer follows from what is there. Not under --touch, which makes nothing.
    if not workflow.touch:
        for report in dag.reports_after(workflow.dag.needrun_jobs()):
            discard(report)
        terminal.follow(workflow)
    # Because of its limit of jobs a second, 100 unless told otherwise, Snakemake looks for jobs again a second after each
    # look that found any ready: one more such chain of looks for every job that ends. The limit is meant for clusters.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
