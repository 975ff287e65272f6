# expects: config/demo.tsv (clip, voice, text)
# produces: resources/demo/{clip}.mp4 and resources/demo/truth/{clip}.h5 (what was drawn), of our own making
# reads from config: nothing
import pandas as pd

DEMO = Catalogue(
    "clip of config/demo.tsv",
    pd.read_csv(HOME / "config" / "demo.tsv", sep="\t", comment="#", index_col="clip").to_dict("index"),
)


rule make_demo_clip:
    output:
        video="resources/demo/{clip}.mp4",
        truth="resources/demo/truth/{clip}.h5",
    log:
        "results/logs/make_demo_clip/{clip}.log",
    benchmark:
        "results/benchmarks/make_demo_clip/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=code_of("make_demo_clip"),
        voice=lambda w: DEMO[w.clip]["voice"],
        text=lambda w: DEMO[w.clip]["text"],
    message:
        "Speaking and drawing the demo clip {wildcards.clip}"
    script:
        "../scripts/make_demo_clip.py"
