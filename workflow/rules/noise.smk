# expects: sound files in the folder that config names, or nothing
# produces: resources/demo/noise/{noise}.wav, results/noise.h5 (layout: talkface/noise.py)
# reads from config: noise
from talkface.noise_sources import NOISES, find_recordings

DEMO_NOISES = [f"resources/demo/noise/{noise}.wav" for noise in NOISES]
NOISE_FOLDER = config["noise"]["folder"]


rule make_demo_noise:
    input:
        code=modules("noise_sources"),
    output:
        noises=DEMO_NOISES,
    log:
        "results/logs/make_demo_noise/noises.log",
    benchmark:
        "results/benchmarks/make_demo_noise/noises.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    message:
        "Making the noises of the demo"
    script:
        "../scripts/make_demo_noise.py"


rule assemble_noise:
    input:
        recordings=lambda w: (find_recordings(NOISE_FOLDER) if NOISE_FOLDER else DEMO_NOISES),
        code=modules("noise", "features"),
    output:
        noise="results/noise.h5",
    log:
        "results/logs/assemble_noise/noise.log",
    benchmark:
        "results/benchmarks/assemble_noise/noise.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    message:
        "Gathering recordings of noise"
    script:
        "../scripts/assemble_noise.py"
