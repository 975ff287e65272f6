# expects: sound files in the folders that config names, or nothing but config/talkers.tsv (talker, voice, text)
# produces: resources/demo/noise/{noise}.wav, results/noise.h5 (layout: talkface/noise.py) to train with;
# resources/demo/test_noise/{noise}.wav, resources/demo/talkers/{talker}.wav, results/evaluation/noise.h5 (layout:
# talkface/evaluation_noise.py) to judge with
# reads from config: noise, evaluate.noise, seed
import pandas as pd
from talkface.noise.evaluation_formulas import ENVIRONMENT, FORMULAS, MUSIC, PINK, WHITE
from talkface.noise.training_formulas import NOISES, find_recordings

DEMO_NOISES = [f"resources/demo/noise/{noise}.wav" for noise in NOISES]
NOISE_FOLDER = config["noise"]["folder"]
# What models are judged with is made by other formulas, and spoken by other voices, than anything they train with.
JUDGING = config["evaluate"]["noise"]
TALKERS = pd.read_csv(HOME / "config" / "talkers.tsv", sep="\t", comment="#")
DEMO_TALKERS = [f"resources/demo/talkers/{talker}.wav" for talker in TALKERS["talker"]]

TEST_NOISE = "resources/demo/test_noise/{noise}.wav"


rule make_demo_noise:
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
    params:
        code=code_of("make_demo_noise"),
    message:
        "Making the noises of the demo"
    script:
        "../scripts/make_demo_noise.py"


rule assemble_noise:
    input:
        recordings=lambda w: (find_recordings(NOISE_FOLDER) if NOISE_FOLDER else DEMO_NOISES),
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
    params:
        code=code_of("assemble_noise"),
    message:
        "Gathering recordings of noise"
    script:
        "../scripts/assemble_noise.py"


rule make_demo_talkers:
    output:
        talkers=DEMO_TALKERS,
    log:
        "results/logs/make_demo_talkers/talkers.log",
    benchmark:
        "results/benchmarks/make_demo_talkers/talkers.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("make_demo_talkers"),
        voices=list(TALKERS["voice"]),
        texts=list(TALKERS["text"]),
    message:
        "Speaking the talkers that compete with the speech of the evaluation"
    script:
        "../scripts/make_demo_talkers.py"


rule make_test_noise:
    output:
        noises=expand(TEST_NOISE, noise=FORMULAS),
    log:
        "results/logs/make_test_noise/noises.log",
    benchmark:
        "results/benchmarks/make_test_noise/noises.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("make_test_noise"),
    message:
        "Making the noises of the evaluation"
    script:
        "../scripts/make_test_noise.py"


rule assemble_test_noise:
    input:
        environment=lambda w: (
            find_recordings(JUDGING["environment"], key="evaluate.noise.environment")
            if JUDGING["environment"]
            else expand(TEST_NOISE, noise=ENVIRONMENT)
        ),
        speech=lambda w: (
            find_recordings(JUDGING["speech"], key="evaluate.noise.speech") if JUDGING["speech"] else DEMO_TALKERS
        ),
        music=expand(TEST_NOISE, noise=MUSIC),
        white=expand(TEST_NOISE, noise=WHITE),
        pink=expand(TEST_NOISE, noise=PINK),
    output:
        noise="results/evaluation/noise.h5",
    log:
        "results/logs/assemble_test_noise/noise.log",
    benchmark:
        "results/benchmarks/assemble_test_noise/noise.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        code=code_of("assemble_test_noise"),
        seed=config["seed"],
    message:
        "Gathering the noise of the evaluation"
    script:
        "../scripts/assemble_test_noise.py"
