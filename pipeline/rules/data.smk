rule fetch:
    """Make a dataset's source files and list them with their hashes."""
    input:
        card="data/cards/{dataset}.yaml",
        code="runs/{scale}/fingerprints/fetch/{dataset}.json",
    output:
        clips=directory("data/raw/{scale}/{dataset}/clips"),
        files="data/raw/{scale}/{dataset}/files.parquet",
        receipt="data/raw/{scale}/{dataset}/receipt.json",
    log:
        "runs/{scale}/logs/fetch/{dataset}.log",
    benchmark:
        "runs/{scale}/benchmarks/fetch/{dataset}.tsv"
    conda:
        "../environment.yaml"
    threads: min(16, workflow.cores or PARAMETERS.threads)
    resources:
        mem_mb=2000,
        runtime=60,
        gpu=0,
    params:
        used=lambda w: dag.used("fetch", w.scale, w.dataset),
        planned=lambda w: dag.planned("fetch", w.scale, w.dataset),
    shell:
        "SELFSUP_PLANNED={params.planned} python -m pipeline fetch --scale {wildcards.scale} --dataset {wildcards.dataset} --workers {threads}"
        " 2> {log} || {{ tail -n 5 {log} >&2; exit 1; }}"


rule decode:
    """Decode the files of one shard into the store."""
    input:
        clips=rules.fetch.output.clips,
        files=rules.fetch.output.files,
        card="data/cards/{dataset}.yaml",
        code="runs/{scale}/fingerprints/decode.json",
    output:
        arrow="data/decoded/{scale}/{dataset}/{split}-{shard}.arrow",
        rows="data/decoded/{scale}/{dataset}/{split}-{shard}.parquet",
        receipt="data/decoded/{scale}/{dataset}/{split}-{shard}.receipt.json",
    log:
        "runs/{scale}/logs/decode/{dataset}/{split}-{shard}.log",
    benchmark:
        "runs/{scale}/benchmarks/decode/{dataset}/{split}-{shard}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
        gpu=0,
    params:
        used=lambda w: dag.used("decode", w.scale, w.dataset),
        planned=lambda w: dag.planned("decode", w.scale, w.dataset),
    shell:
        "SELFSUP_PLANNED={params.planned} python -m pipeline decode --scale {wildcards.scale} --dataset {wildcards.dataset}"
        " --split {wildcards.split} --shard {wildcards.shard}"
        " 2> {log} || {{ tail -n 5 {log} >&2; exit 1; }}"


rule index:
    """Join the rows of a split's shards; apply data/excluded.txt."""
    input:
        arrows=lambda w: dag.shards(w.scale, w.dataset, [w.split]),
        rows=lambda w: dag.shards(w.scale, w.dataset, [w.split], ".parquet"),
        excluded="runs/{scale}/fingerprints/excluded/{dataset}.{split}.txt",
        card="data/cards/{dataset}.yaml",
        code="runs/{scale}/fingerprints/index.json",
    output:
        index="data/decoded/{scale}/{dataset}/index/{split}.parquet",
        receipt="data/decoded/{scale}/{dataset}/index/{split}.receipt.json",
    log:
        "runs/{scale}/logs/index/{dataset}/{split}.log",
    benchmark:
        "runs/{scale}/benchmarks/index/{dataset}/{split}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    shell:
        "python -m pipeline index --scale {wildcards.scale} --dataset {wildcards.dataset} --split {wildcards.split}"
        " 2> {log} || {{ tail -n 5 {log} >&2; exit 1; }}"


rule data:
    """Everything that is decoded, for the dataset of params.yaml."""
    input:
        [
            layout.index(PARAMETERS.scale, PARAMETERS.dataset, split)
            for split in layout.SPLITS
        ],
