# A rule for each set of protocols that runs are evaluated under on a dataset: see EvaluationGroup.
for group in dag.evaluation_groups():

    rule:
        name:
            group.rule
        input:
            weights=f"runs/{{scale}}/{{dataset}}/{{run}}/seed-{{seed}}/model.safetensors",
            heads=f"runs/{{scale}}/{{dataset}}/{{run}}/seed-{{seed}}/heads.safetensors",
            pretrained=lambda w: dag.trained_on(w.scale, w.dataset, w.run),
            index=lambda w, on=group.on: [
                paths.index(w.scale, on, split) for split in paths.SPLITS
            ],
            # What is drawn besides the store.
            seen=lambda w, group=group: dag.seen_by_evaluation(
                w.scale, group.on, w.run, group.protocols
            ),
            card=f"data/cards/{group.on}.yaml",
            network="runs/fingerprints/{scale}/pretrain/{run}.json",
            code=[
                f"runs/fingerprints/{{scale}}/evaluate/{protocol}.json"
                for protocol in group.protocols
            ],
        output:
            # Not removed before the job, which leaves what follows from the same as before as it is.
            [
                update(
                    f"runs/evaluations/{{scale}}/{group.on}/{protocol}/{{dataset}}/{{run}}/seed-{{seed}}/{name}"
                )
                for protocol in group.protocols
                for name in EVALUATION_FILES
            ],
        log:
            f"runs/logs/{{scale}}/evaluate/{group.on}/{{dataset}}.{{run}}.{{seed}}.{'-'.join(group.protocols)}.log",
        benchmark:
            f"runs/benchmarks/{{scale}}/evaluate/{group.on}/{{dataset}}.{{run}}.{{seed}}.{'-'.join(group.protocols)}.tsv"
        wildcard_constraints:
            run="|".join(group.runs),
        conda:
            "../environment.yaml"
        threads: lambda w: PARAMETERS.at(w.scale).threads
        resources:
            mem_mb=lambda w: PARAMETERS.at(w.scale).resources.memory_mb,
            runtime=lambda w: PARAMETERS.at(w.scale).resources.minutes,
            gpu=GPU,
        params:
            used=lambda w, group=group: [
                dag.used("evaluate", w.scale, group.on, protocol)
                for protocol in group.protocols
            ],
            planned=lambda w, group=group: dag.planned_all(
                w.scale, group.on, group.protocols
            ),
            on=group.on,
            protocols=",".join(group.protocols),
        shell:
            jobs.command(
                "evaluate",
                "scale",
                "dataset",
                "run",
                "seed",
                on="{params.on}",
                protocols="{params.protocols}",
            )


rule evaluate_all:
    """Every evaluation of the runs, for the dataset and seeds of params.yaml."""
    input:
        dag.evaluations(PARAMETERS.scale, PARAMETERS.dataset, "numbers.json"),
