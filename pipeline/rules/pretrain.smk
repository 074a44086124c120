rule pretrain:
    """Pretrain a run with one seed."""
    input:
        train="data/decoded/{scale}/{dataset}/index/train.parquet",
        # Validation is watched, where there is such a split: labels of it choose nothing.
        validation=lambda w: dag.watched(w.scale, w.dataset),
        begun_with=lambda w: dag.begun_with(w.scale, w.dataset, w.run, w.seed),
        drawn=lambda w: dag.drawn_by_run(w.scale, w.dataset, w.run),
        card="data/cards/{dataset}.yaml",
        code="runs/fingerprints/{scale}/pretrain/{run}.json",
    output:
        weights="runs/{scale}/{dataset}/{run}/seed-{seed}/model.safetensors",
        heads="runs/{scale}/{dataset}/{run}/seed-{seed}/heads.safetensors",
        log="runs/{scale}/{dataset}/{run}/seed-{seed}/log.csv",
        receipt="runs/{scale}/{dataset}/{run}/seed-{seed}/receipt.json",
    log:
        "runs/logs/{scale}/pretrain/{dataset}/{run}.{seed}.log",
    benchmark:
        "runs/benchmarks/{scale}/pretrain/{dataset}/{run}.{seed}.tsv"
    conda:
        "../environment.yaml"
    threads: lambda w: PARAMETERS.at(w.scale).threads
    resources:
        mem_mb=lambda w: PARAMETERS.at(w.scale).resources.memory_mb,
        runtime=lambda w: PARAMETERS.at(w.scale).resources.minutes,
        gpu=GPU,
    params:
        used=lambda w: dag.used("pretrain", w.scale, w.dataset, w.run),
        planned=lambda w: dag.planned("pretrain", w.scale, w.dataset, w.run),
    shell:
        jobs.command("pretrain", "scale", "dataset", "run", "seed")


rule pretrain_all:
    """Every run of the suites, for the dataset and seeds of params.yaml."""
    input:
        dag.runs(PARAMETERS.scale, PARAMETERS.dataset, "model.safetensors"),
