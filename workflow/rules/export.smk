# expects: results/blendshapes/{clip}.tsv and results/blendshapes/{model}/{clip}.tsv, results/audio/{clip}.wav;
# results/face3d/identity/{speaker}.h5; the face model
# produces: results/export/{clip}/ and results/export/{model}/{clip}/: arkit.csv, weights.json, cues.tsv, cues.json,
# speech.wav, face.glb
# reads from config: export; through common.smk face_model


rule export_weights:
    input:
        weights="results/blendshapes/{clip}.tsv",
    output:
        arkit="results/export/{clip}/arkit.csv",
        json="results/export/{clip}/weights.json",
        cues="results/export/{clip}/cues.tsv",
        cues_json="results/export/{clip}/cues.json",
    log:
        "results/logs/export_weights/{clip}.log",
    benchmark:
        "results/benchmarks/export_weights/{clip}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("export_weights"),
        fps=config["export"]["fps"],
    message:
        "Exporting the face of {wildcards.clip}"
    script:
        "../scripts/export_weights.py"


use rule export_weights as export_weights_of_model with:
    input:
        weights="results/blendshapes/{model}/{clip}.tsv",
    output:
        arkit="results/export/{model}/{clip}/arkit.csv",
        json="results/export/{model}/{clip}/weights.json",
        cues="results/export/{model}/{clip}/cues.tsv",
        cues_json="results/export/{model}/{clip}/cues.json",
    log:
        "results/logs/export_weights_of_model/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/export_weights_of_model/{model}/{clip}.tsv"
    message:
        "Exporting the face of {wildcards.clip} as {wildcards.model} predicts it"


rule export_sound:
    input:
        weights="results/blendshapes/{clip}.tsv",
        audio="results/audio/{clip}.wav",
    output:
        sound="results/export/{clip}/speech.wav",
    log:
        "results/logs/export_sound/{clip}.log",
    benchmark:
        "results/benchmarks/export_sound/{clip}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("export_sound"),
    message:
        "Exporting the sound of {wildcards.clip}"
    script:
        "../scripts/export_sound.py"


use rule export_sound as export_sound_of_model with:
    input:
        weights="results/blendshapes/{model}/{clip}.tsv",
        audio="results/audio/{clip}.wav",
    output:
        sound="results/export/{model}/{clip}/speech.wav",
    log:
        "results/logs/export_sound_of_model/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/export_sound_of_model/{model}/{clip}.tsv"
    message:
        "Exporting the sound of {wildcards.clip} beside what {wildcards.model} predicts"


rule export_gltf:
    input:
        weights="results/blendshapes/{clip}.tsv",
        face_model=head_model,
        identity=identity_of,
    output:
        head="results/export/{clip}/face.glb",
    log:
        "results/logs/export_gltf/{clip}.log",
    benchmark:
        "results/benchmarks/export_gltf/{clip}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=code_of("export_gltf"),
    message:
        "Exporting a head that speaks as {wildcards.clip}"
    script:
        "../scripts/export_gltf.py"


use rule export_gltf as export_gltf_of_model with:
    input:
        weights="results/blendshapes/{model}/{clip}.tsv",
        face_model=head_model,
        identity=identity_of,
    output:
        head="results/export/{model}/{clip}/face.glb",
    log:
        "results/logs/export_gltf_of_model/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/export_gltf_of_model/{model}/{clip}.tsv"
    message:
        "Exporting a head that speaks as {wildcards.model} predicts {wildcards.clip}"


rule export_all:
    input:
        lambda w: expand(
            "results/export/{clip}/{file}",
            clip=[*selection.usable("test"), *selection.speech],
            file=[
                *("arkit.csv", "weights.json", "cues.tsv", "cues.json", "speech.wav"),
                *(["face.glb"] if config["face_model"] else []),
            ],
        ),
