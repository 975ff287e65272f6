# expects: results/landmarks/{shard}.h5 of a speaker's clips
# produces: results/shapes/{speaker}.h5 (identity-free shapes in the template frame)
# reads from config: identity


rule remove_identity:
    input:
        landmarks=lambda w: sorted({f"results/landmarks/{SHARD_OF[clip]}.h5" for clip in SPEAKERS[w.speaker]}),
    output:
        shapes="results/shapes/{speaker}.h5",
    log:
        "results/logs/remove_identity/{speaker}.log",
    benchmark:
        "results/benchmarks/remove_identity/{speaker}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("remove_identity"),
        files=lambda w: {clip: f"results/landmarks/{SHARD_OF[clip]}.h5" for clip in SPEAKERS[w.speaker]},
        method=config["identity"]["method"],
        threshold=config["identity"]["threshold"],
        reference_frames=config["identity"]["reference_frames"],
        smooth_frames=config["identity"]["smooth_frames"],
        reference=config["identity"]["reference"],
    message:
        "Removing the identity of {wildcards.speaker}"
    script:
        "../scripts/remove_identity.py"
