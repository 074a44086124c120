rule features:
    """Compute what a run's frozen encoder of pictures makes of a dataset, once for all protocols that read it."""
    input:
        weights="runs/{scale}/{dataset}/{run}/seed-{seed}/model.safetensors",
        index=lambda w: [paths.index(w.scale, w.on, split) for split in paths.SPLITS],
        network="runs/{scale}/fingerprints/pretrain/{run}.json",
        code="runs/{scale}/fingerprints/features.json",
    output:
        features="runs/{scale}/{dataset}/{run}/seed-{seed}/{on}/features/features.safetensors",
        receipt="runs/{scale}/{dataset}/{run}/seed-{seed}/{on}/features/receipt.json",
    log:
        "runs/{scale}/logs/features/{dataset}/{run}.{seed}.{on}.log",
    benchmark:
        "runs/{scale}/benchmarks/features/{dataset}/{run}.{seed}.{on}.tsv"
    conda:
        "../environment.yaml"
    threads: lambda w: PARAMETERS.at(w.scale).threads
    resources:
        mem_mb=lambda w: PARAMETERS.at(w.scale).resources.memory_mb,
        runtime=lambda w: PARAMETERS.at(w.scale).resources.minutes,
        gpu=dag.gpu,
    params:
        used=lambda w: dag.used("features", w.scale, w.on),
        planned=lambda w: dag.planned("features", w.scale, w.on),
    shell:
        "SELFSUP_PLANNED={params.planned} python -m pipeline features --scale {wildcards.scale} --dataset {wildcards.dataset}"
        " --run {wildcards.run} --seed {wildcards.seed} --on {wildcards.on}"
        " 2> {log} || {{ tail -n 5 {log} >&2; exit 1; }}"


rule evaluate:
    """Evaluate a run under one protocol."""
    input:
        weights="runs/{scale}/{dataset}/{run}/seed-{seed}/model.safetensors",
        heads="runs/{scale}/{dataset}/{run}/seed-{seed}/heads.safetensors",
        pretrained="data/decoded/{scale}/{dataset}/index/train.parquet",
        index=lambda w: [paths.index(w.scale, w.on, split) for split in paths.SPLITS],
        # Features; or the networks' code, and what is drawn besides the store.
        seen=lambda w: dag.seen_by_evaluation(
            w.scale, w.dataset, w.run, w.seed, w.on, w.protocol
        ),
        card="data/cards/{on}.yaml",
        code="runs/{scale}/fingerprints/evaluate/{protocol}.json",
    output:
        predictions="runs/{scale}/{dataset}/{run}/seed-{seed}/{on}/{protocol}/predictions.parquet",
        numbers="runs/{scale}/{dataset}/{run}/seed-{seed}/{on}/{protocol}/numbers.json",
        receipt="runs/{scale}/{dataset}/{run}/seed-{seed}/{on}/{protocol}/receipt.json",
    log:
        "runs/{scale}/logs/evaluate/{dataset}/{run}.{seed}.{on}.{protocol}.log",
    benchmark:
        "runs/{scale}/benchmarks/evaluate/{dataset}/{run}.{seed}.{on}.{protocol}.tsv"
    conda:
        "../environment.yaml"
    threads: lambda w: PARAMETERS.at(w.scale).threads
    resources:
        mem_mb=lambda w: PARAMETERS.at(w.scale).resources.memory_mb,
        runtime=lambda w: PARAMETERS.at(w.scale).resources.minutes,
        gpu=dag.gpu,
    params:
        used=lambda w: dag.used("evaluate", w.scale, w.on, w.protocol),
        planned=lambda w: dag.planned("evaluate", w.scale, w.on, w.protocol),
    shell:
        "SELFSUP_PLANNED={params.planned} python -m pipeline evaluate --scale {wildcards.scale} --dataset {wildcards.dataset}"
        " --run {wildcards.run} --seed {wildcards.seed} --on {wildcards.on} --protocol {wildcards.protocol}"
        " 2> {log} || {{ tail -n 5 {log} >&2; exit 1; }}"


rule features_all:
    """All features that protocols of the suites read, for the dataset and seeds of params.yaml."""
    input:
        dag.features(PARAMETERS.scale, PARAMETERS.dataset, "features.safetensors"),


rule evaluate_all:
    """Every evaluation of the suites, for the dataset and seeds of params.yaml."""
    input:
        dag.evaluations(PARAMETERS.scale, PARAMETERS.dataset, "numbers.json"),
