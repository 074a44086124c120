rule report:
    """The lecture's tables with a measured column, the numbers, the figures."""
    input:
        evaluations=lambda w: [
            path
            for name in EVALUATION_FILES
            for path in dag.evaluations(w.scale, w.dataset, name)
        ],
        runs=lambda w: [
            path
            for name in ("model.safetensors", "log.csv", "receipt.json")
            for path in dag.runs(w.scale, w.dataset, name)
        ],
        data=lambda w: dag.data(w.scale, dag.reported(w.dataset)),
        clips=lambda w: dag.clips(w.scale, w.dataset),
        excluded=lambda w: [
            paths.exclusions(w.scale, w.dataset, split)
            for split in dag.card(w.dataset).splits
        ],
        card="data/cards/{dataset}.yaml",
        tables="data/tables.yaml",
        published="data/published.csv",
        code="runs/fingerprints/{scale}/report.json",
    output:
        table="reports/{scale}/{dataset}/table.md",
        metrics="reports/{scale}/{dataset}/metrics.json",
        budgets="reports/{scale}/{dataset}/budgets.md",
        sheet="reports/{scale}/{dataset}/figures/{dataset}.png",
        curves="reports/{scale}/{dataset}/figures/training-curves.png",
        confusion="reports/{scale}/{dataset}/figures/confusion.png",
        tuples="reports/{scale}/{dataset}/figures/tuples.png",
        neighbours="reports/{scale}/{dataset}/figures/neighbours.png",
        retrieval="reports/{scale}/{dataset}/figures/retrieval.png",
        receipt="reports/{scale}/{dataset}/receipt.json",
    log:
        "runs/logs/{scale}/report/{dataset}.log",
    benchmark:
        "runs/benchmarks/{scale}/report/{dataset}.tsv"
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
        jobs.command("report", "scale", "dataset")


rule part:
    """One part of the lecture's tables: images, video, or sound."""
    input:
        evaluations=lambda w: [
            path
            for name in EVALUATION_FILES
            for path in dag.evaluations(w.scale, w.dataset, name, w.part)
        ],
        runs=lambda w: dag.runs(w.scale, w.dataset, "receipt.json", w.part),
        index=lambda w: dag.indices(w.scale, w.dataset),
        excluded=lambda w: [
            paths.exclusions(w.scale, w.dataset, split)
            for split in dag.card(w.dataset).splits
        ],
        card="data/cards/{dataset}.yaml",
        tables="data/tables.yaml",
        published="data/published.csv",
        code="runs/fingerprints/{scale}/report.json",
    output:
        table="reports/{scale}/{dataset}/{part}.md",
        receipt="reports/{scale}/{dataset}/{part}.receipt.json",
    log:
        "runs/logs/{scale}/report/{dataset}.{part}.log",
    benchmark:
        "runs/benchmarks/{scale}/report/{dataset}.{part}.tsv"
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
        jobs.command("report", "scale", "dataset", "part")


rule publish_part:
    """Lay one part of the report that params.yaml asks for at reports/."""
    input:
        report=f"reports/{PARAMETERS.scale}/{PARAMETERS.dataset}/{{part}}.md",
        receipt=f"reports/{PARAMETERS.scale}/{PARAMETERS.dataset}/{{part}}.receipt.json",
        code=f"runs/fingerprints/{PARAMETERS.scale}/publish.json",
    output:
        table="reports/{part}.md",
        receipt="reports/{part}.receipt.json",
    log:
        "runs/logs/publish.{part}.log",
    benchmark:
        "runs/benchmarks/publish.{part}.tsv"
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
        jobs.command("publish", "part")


rule publish:
    """Lay the report that params.yaml asks for at reports/: the one that is under version control."""
    input:
        report=[
            paths.report(PARAMETERS.scale, PARAMETERS.dataset) / name
            for name in paths.report_files(PARAMETERS.dataset)
        ],
        receipt=paths.report(PARAMETERS.scale, PARAMETERS.dataset) / "receipt.json",
        code=f"runs/fingerprints/{PARAMETERS.scale}/publish.json",
    output:
        table="reports/table.md",
        metrics="reports/metrics.json",
        budgets="reports/budgets.md",
        sheet=f"reports/figures/{PARAMETERS.dataset}.png",
        curves="reports/figures/training-curves.png",
        confusion="reports/figures/confusion.png",
        tuples="reports/figures/tuples.png",
        neighbours="reports/figures/neighbours.png",
        retrieval="reports/figures/retrieval.png",
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
        jobs.command("publish")


rule shortcuts:
    """What gives labels away cheaply, and what can be learned of them: the dataset of params.yaml and its stills."""
    input:
        index=[
            paths.index(PARAMETERS.scale, dataset, split)
            for dataset in dag.datasets
            for split in paths.SPLITS
        ],
        tuples=[
            paths.tuples(PARAMETERS.scale, PARAMETERS.dataset, split)
            for split in paths.SPLITS
        ],
        annotations=paths.annotations(
            PARAMETERS.scale, PARAMETERS.dataset, "objects"
        ).parent,
        cards=[paths.card(dataset) for dataset in dag.datasets],
        code=f"runs/fingerprints/{PARAMETERS.scale}/shortcuts.json",
    output:
        page="reports/shortcuts.md",
        values="reports/shortcuts.json",
        receipt="reports/shortcuts.receipt.json",
    log:
        "runs/logs/shortcuts.log",
    benchmark:
        "runs/benchmarks/shortcuts.tsv"
    conda:
        "../environment.yaml"
    threads: PARAMETERS.at(PARAMETERS.scale).threads
    resources:
        mem_mb=PARAMETERS.at(PARAMETERS.scale).resources.memory_mb,
        runtime=PARAMETERS.at(PARAMETERS.scale).resources.minutes,
        gpu=GPU,
    params:
        used=dag.used("shortcuts", PARAMETERS.scale, PARAMETERS.dataset),
        planned=dag.planned("shortcuts", PARAMETERS.scale, PARAMETERS.dataset),
    shell:
        jobs.command("shortcuts")


rule reel:
    """A few training clips side by side, playing: of the dataset of params.yaml, for the README."""
    input:
        index=paths.index(PARAMETERS.scale, PARAMETERS.dataset, "train"),
        clips=dag.clips(PARAMETERS.scale, PARAMETERS.dataset),
        card=paths.card(PARAMETERS.dataset),
        code=f"runs/fingerprints/{PARAMETERS.scale}/reel.json",
    output:
        reel=paths.reel(PARAMETERS.dataset),
        receipt=paths.receipt_beside(paths.reel(PARAMETERS.dataset)),
    log:
        "runs/logs/reel.log",
    benchmark:
        "runs/benchmarks/reel.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
        gpu=0,
    params:
        used=dag.used("reel", PARAMETERS.scale, PARAMETERS.dataset),
        planned=dag.planned("reel", PARAMETERS.scale, PARAMETERS.dataset),
    shell:
        jobs.command("reel")
