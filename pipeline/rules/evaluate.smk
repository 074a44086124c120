rule evaluate:
    """Evaluate a run under one protocol."""
    input:
        weights="runs/{scale}/{dataset}/{run}/seed-{seed}/model.safetensors",
        heads="runs/{scale}/{dataset}/{run}/seed-{seed}/heads.safetensors",
        pretrained="data/decoded/{scale}/{dataset}/index/train.parquet",
        index=lambda w: [layout.index(w.scale, w.on, split) for split in layout.SPLITS],
        shards=lambda w: dag.shards(w.scale, w.on, layout.SPLITS),
        drawn=lambda w: dag.drawn_by_protocol(w.scale, w.on, w.protocol),
        card="data/cards/{on}.yaml",
        network="runs/{scale}/fingerprints/pretrain/{run}.json",
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


rule evaluate_all:
    """Every evaluation of the suites, for the dataset and seeds of params.yaml."""
    input:
        dag.evaluations(PARAMETERS.scale, PARAMETERS.dataset, "numbers.json"),
