rule fetch:
    """Make a dataset's source files, list them with their hashes, keep what is known of them."""
    input:
        card="data/cards/{dataset}.yaml",
        code="runs/fingerprints/{scale}/fetch/{dataset}.json",
    output:
        clips=directory("data/raw/{scale}/{dataset}/clips"),
        files="data/raw/{scale}/{dataset}/files.parquet",
        annotations=directory("data/raw/{scale}/{dataset}/annotations"),
        receipt="data/raw/{scale}/{dataset}/receipt.json",
    log:
        "runs/logs/{scale}/fetch/{dataset}.log",
    benchmark:
        "runs/benchmarks/{scale}/fetch/{dataset}.tsv"
    wildcard_constraints:
        dataset="|".join(name for name in cards.names() if name not in dag.folders),
    conda:
        "../environment.yaml"
    threads: min(16, workflow.cores or PARAMETERS.at(PARAMETERS.scale).threads)
    resources:
        mem_mb=2000,
        runtime=60,
        gpu=0,
    params:
        used=lambda w: dag.used("fetch", w.scale, w.dataset),
        planned=lambda w: dag.planned("fetch", w.scale, w.dataset),
    shell:
        jobs.command("fetch", "scale", "dataset", workers="{threads}")


use rule fetch as list_folder with:
    input:
        card="data/cards/{dataset}.yaml",
        code="runs/fingerprints/{scale}/fetch/{dataset}.json",
        listed="runs/fingerprints/{scale}/listed/{dataset}.txt",
    output:
        files="data/raw/{scale}/{dataset}/files.parquet",
        receipt="data/raw/{scale}/{dataset}/receipt.json",
    wildcard_constraints:
        dataset="|".join(dag.folders) or "(?!)",


rule crop:
    """Choose the stills of a dataset that is cut from another one's clips."""
    input:
        files=lambda w: paths.raw(w.scale, dag.parent(w.dataset)) / "files.parquet",
        annotations=lambda w: paths.annotations(
            w.scale, dag.parent(w.dataset), "objects"
        ).parent,
        card="data/cards/{dataset}.yaml",
        code="runs/fingerprints/{scale}/crop.json",
    output:
        files="data/raw/{scale}/{dataset}/files.parquet",
        receipt="data/raw/{scale}/{dataset}/receipt.json",
    log:
        "runs/logs/{scale}/crop/{dataset}.log",
    benchmark:
        "runs/benchmarks/{scale}/crop/{dataset}.tsv"
    wildcard_constraints:
        dataset="|".join(dag.crops()) or "(?!)",
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
        gpu=0,
    params:
        used=lambda w: dag.used("crop", w.scale, w.dataset),
        planned=lambda w: dag.planned("crop", w.scale, w.dataset),
    shell:
        jobs.command("crop", "scale", "dataset")


# Of a dataset that is cut from another one, fetch has nothing to make.
ruleorder: crop > fetch


rule decode:
    """Decode the files of one shard into the store."""
    input:
        clips=lambda w: dag.clips(w.scale, w.dataset),
        files="data/raw/{scale}/{dataset}/files.parquet",
        card="data/cards/{dataset}.yaml",
        code="runs/fingerprints/{scale}/decode.json",
    output:
        arrow="data/decoded/{scale}/{dataset}/{split}-{shard}.arrow",
        rows="data/decoded/{scale}/{dataset}/{split}-{shard}.parquet",
        receipt="data/decoded/{scale}/{dataset}/{split}-{shard}.receipt.json",
    log:
        "runs/logs/{scale}/decode/{dataset}/{split}-{shard}.log",
    benchmark:
        "runs/benchmarks/{scale}/decode/{dataset}/{split}-{shard}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        # That of the job, and what its decoder may take for one file.
        mem_mb=lambda w: 1000 + PARAMETERS.at(w.scale).store.file_memory_mb,
        runtime=60,
        gpu=0,
    params:
        used=lambda w: dag.used("decode", w.scale, w.dataset),
        planned=lambda w: dag.planned("decode", w.scale, w.dataset),
    shell:
        jobs.command("decode", "scale", "dataset", "split", "shard")


rule index:
    """Join the rows of a split's shards; apply data/excluded.txt.

    It holds the shards' hashes and stands for them: what reads a shard depends on its index. Snakemake hashes a job's
    inputs once for each of its outputs, which for shards takes longer than some jobs.
    """
    input:
        arrows=lambda w: dag.shards(w.scale, w.dataset, w.split),
        rows=lambda w: dag.shards(w.scale, w.dataset, w.split, ".parquet"),
        excluded=lambda w: exclusions.of(w.scale, w.dataset, w.split),
        card="data/cards/{dataset}.yaml",
        code="runs/fingerprints/{scale}/index.json",
    output:
        index="data/decoded/{scale}/{dataset}/index/{split}.parquet",
        receipt="data/decoded/{scale}/{dataset}/index/{split}.receipt.json",
    log:
        "runs/logs/{scale}/index/{dataset}/{split}.log",
    benchmark:
        "runs/benchmarks/{scale}/index/{dataset}/{split}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    shell:
        jobs.command("index", "scale", "dataset", "split", planned=False)


rule mine:
    """Choose Shuffle & Learn's tuples of frames by their motion."""
    input:
        index="data/decoded/{scale}/{dataset}/index/{split}.parquet",
        code="runs/fingerprints/{scale}/mine.json",
    output:
        tuples="data/decoded/{scale}/{dataset}/tuples/{split}.parquet",
        receipt="data/decoded/{scale}/{dataset}/tuples/{split}.receipt.json",
    log:
        "runs/logs/{scale}/mine/{dataset}/{split}.log",
    benchmark:
        "runs/benchmarks/{scale}/mine/{dataset}/{split}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
        gpu=0,
    params:
        used=lambda w: dag.used("mine", w.scale, w.dataset),
        planned=lambda w: dag.planned("mine", w.scale, w.dataset),
    shell:
        jobs.command("mine", "scale", "dataset", "split")


rule data:
    """Everything that is decoded and mined, for the dataset of params.yaml and its stills."""
    input:
        dag.data(PARAMETERS.scale, dag.datasets),
