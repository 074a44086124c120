rule report:
    """The lecture's tables with a measured column, the numbers, the figures. Its input is the whole chain: a piece that is
    missing anywhere makes it stale."""
    input:
        evaluations=lambda w: [
            path
            for name in ("numbers.json", "predictions.parquet", "receipt.json")
            for path in dag.evaluations(w.scale, w.dataset, name)
        ],
        runs=lambda w: [
            layout.run(w.scale, w.dataset, run, seed) / name
            for run in PARAMETERS.run_names()
            for seed in PARAMETERS.seeds
            for name in ("model.safetensors", "receipt.json")
        ],
        index=lambda w: [
            layout.index(w.scale, w.dataset, split) for split in layout.SPLITS
        ],
        shards=lambda w: dag.shards(w.scale, w.dataset, layout.SPLITS),
        clips="data/raw/{scale}/{dataset}/clips",
        excluded=lambda w: [
            layout.exclusions(w.scale, w.dataset, split) for split in layout.SPLITS
        ],
        card="data/cards/{dataset}.yaml",
        tables="data/tables.yaml",
        published="data/published.csv",
        code="runs/{scale}/fingerprints/report.json",
    output:
        table="reports/{scale}/{dataset}/table.md",
        metrics="reports/{scale}/{dataset}/metrics.json",
        sheet="reports/{scale}/{dataset}/figures/{dataset}.png",
        receipt="reports/{scale}/{dataset}/receipt.json",
    log:
        "runs/{scale}/logs/report/{dataset}.log",
    benchmark:
        "runs/{scale}/benchmarks/report/{dataset}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    params:
        used=lambda w: dag.used("report", w.scale, w.dataset),
        planned=lambda w: dag.planned("report", w.scale, w.dataset),
    shell:
        "SELFSUP_PLANNED={params.planned} python -m pipeline report --scale {wildcards.scale} --dataset {wildcards.dataset}"
        " 2> {log} || {{ tail -n 5 {log} >&2; exit 1; }}"


rule publish:
    """Lay the report that params.yaml asks for at reports/: the one that is under version control."""
    input:
        table=layout.report(PARAMETERS.scale, PARAMETERS.dataset) / "table.md",
        metrics=layout.report(PARAMETERS.scale, PARAMETERS.dataset) / "metrics.json",
        sheet=layout.report(PARAMETERS.scale, PARAMETERS.dataset)
        / "figures"
        / f"{PARAMETERS.dataset}.png",
        receipt=layout.report(PARAMETERS.scale, PARAMETERS.dataset) / "receipt.json",
        code=f"runs/{PARAMETERS.scale}/fingerprints/publish.json",
    output:
        table="reports/table.md",
        metrics="reports/metrics.json",
        sheet="reports/figures/clips.png",
        receipt="reports/receipt.json",
    log:
        "runs/logs/publish.log",
    benchmark:
        "runs/benchmarks/publish.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        gpu=0,
    params:
        used=dag.used("publish", PARAMETERS.scale, PARAMETERS.dataset),
        planned=dag.planned("publish", PARAMETERS.scale, PARAMETERS.dataset),
    shell:
        "SELFSUP_PLANNED={params.planned} python -m pipeline publish"
        " 2> {log} || {{ tail -n 5 {log} >&2; exit 1; }}"
