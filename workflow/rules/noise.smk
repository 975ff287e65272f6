# expects: sound files in the folders that config names, or nothing but config/talkers.tsv (talker, voice, text)
# produces: resources/demo/noise/{noise}.wav, results/noise.h5 (layout: talkface/noise/bank.py) to train with;
# resources/demo/test_noise/{noise}.wav, resources/demo/talkers/{talker}.wav, results/evaluation/noise.h5 (layout:
# talkface/noise/evaluation_noise.py) to judge with: other formulas, other voices than anything that is trained with
# reads from config: noise, evaluate.noise, seed
from talkface.noise.evaluation_formulas import ENVIRONMENT, FORMULAS, PINK, WHITE
from talkface.noise.music import MUSIC
from talkface.noise.training_formulas import NOISES, find_recordings


rule make_demo_noise:
    output:
        noises=expand("resources/demo/noise/{noise}.wav", noise=NOISES),
    log:
        "results/logs/make_demo_noise/noises.log",
    benchmark:
        "results/benchmarks/make_demo_noise/noises.tsv"
    conda:
        "../../envs/training.yaml"
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
        recordings=lambda w: (
            named(find_recordings(config["noise"]["folder"]))
            if config["noise"]["folder"]
            else rules.make_demo_noise.output.noises
        ),
    output:
        noise="results/noise.h5",
    log:
        "results/logs/assemble_noise/noise.log",
    benchmark:
        "results/benchmarks/assemble_noise/noise.tsv"
    conda:
        "../../envs/training.yaml"
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
        talkers=expand("resources/demo/talkers/{talker}.wav", talker=selection.talkers["talker"]),
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
        voices=list(selection.talkers["voice"]),
        texts=list(selection.talkers["text"]),
    message:
        "Speaking the talkers that compete with the speech of the evaluation"
    script:
        "../scripts/make_demo_talkers.py"


rule make_test_noise:
    output:
        noises=expand("resources/demo/test_noise/{noise}.wav", noise=FORMULAS),
    log:
        "results/logs/make_test_noise/noises.log",
    benchmark:
        "results/benchmarks/make_test_noise/noises.tsv"
    conda:
        "../../envs/training.yaml"
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
            named(find_recordings(config["evaluate"]["noise"]["environment"], key="evaluate.noise.environment"))
            if config["evaluate"]["noise"]["environment"]
            else expand("resources/demo/test_noise/{noise}.wav", noise=ENVIRONMENT)
        ),
        speech=lambda w: (
            named(find_recordings(config["evaluate"]["noise"]["speech"], key="evaluate.noise.speech"))
            if config["evaluate"]["noise"]["speech"]
            else rules.make_demo_talkers.output.talkers
        ),
        music=expand("resources/demo/test_noise/{noise}.wav", noise=MUSIC),
        white=expand("resources/demo/test_noise/{noise}.wav", noise=WHITE),
        pink=expand("resources/demo/test_noise/{noise}.wav", noise=PINK),
    output:
        noise="results/evaluation/noise.h5",
    log:
        "results/logs/assemble_test_noise/noise.log",
    benchmark:
        "results/benchmarks/assemble_test_noise/noise.tsv"
    conda:
        "../../envs/training.yaml"
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
