# expects: results/landmarks/{shard}.h5, results/predictions/{model}/{clip}.npy; for films the videos of the sheet,
# results/audio/{shard}.h5 and the face model
# produces: resources/face_models/ict_facekit.npz; results/face3d/identity/{speaker}.h5, results/face3d/{shard}.h5 (layouts: talkface/face3d/records.py),
# results/blendshapes/{clip}.tsv and results/blendshapes/{model}/{clip}.tsv; results/mesh/{clip}.mp4;
# results/shapes/{speaker}.h5 in three dimensions
# reads from config: through talkface/selection.py face_model, face3d, landmarks.dimensions


# On the machine that Snakemake runs on: nodes of a cluster seldom reach the web.
localrules:
    fetch_face_model,


rule fetch_face_model:
    output:
        model="resources/face_models/ict_facekit.npz",
    log:
        "results/logs/fetch_face_model/ict_facekit.log",
    benchmark:
        "results/benchmarks/fetch_face_model/ict_facekit.tsv"
    conda:
        "../../envs/corpus.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=120,
        downloads=1,
    message:
        "Fetching the face model ICT-FaceKit (MIT licence, 405 MB)"
    script:
        "../scripts/fetch_face_model.py"


rule fit_identity:
    input:
        landmarks=of_speaker("landmarks"),
    output:
        identity="results/face3d/identity/{speaker}.h5",
    log:
        "results/logs/fit_identity/{speaker}.log",
    benchmark:
        "results/benchmarks/fit_identity/{speaker}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("fit_identity"),
        files=by_clip("landmarks"),
    message:
        "Fitting the face of {wildcards.speaker} in space"
    script:
        "../scripts/fit_identity.py"


rule fit_faces:
    input:
        landmarks="results/landmarks/{shard}.h5",
        identity=lambda w: f"results/face3d/identity/{selection.speaker_of[selection.clips_of(w.shard)[0]]}.h5",
        face_model=lambda w: selection.face_model if selection.looks_at_pictures else [],
        pictures=lambda w: (
            [selection.videos[clip] for clip in selection.clips_of(w.shard)] if selection.looks_at_pictures else []
        ),
    output:
        faces="results/face3d/{shard}.h5",
    log:
        "results/logs/fit_faces/{shard}.log",
    benchmark:
        "results/benchmarks/fit_faces/{shard}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=lambda w: 10 + len(selection.clips_of(w.shard)),
    params:
        code=code_of("fit_faces"),
        clips=lambda w: selection.clips_of(w.shard),
        videos=lambda w: [selection.videos[clip] for clip in selection.clips_of(w.shard)],
        start_s=lambda w: [selection.start_s(clip) for clip in selection.clips_of(w.shard)],
        end_s=lambda w: [selection.end_s(clip) for clip in selection.clips_of(w.shard)],
    message:
        "Fitting the faces of {wildcards.shard} in space"
    script:
        "../scripts/fit_faces.py"


# Instead of remove_identity, where landmarks.dimensions is 3.
rule shapes_in_space:
    input:
        faces=of_speaker("face3d"),
    output:
        shapes="results/shapes/{speaker}.h5",
    log:
        "results/logs/shapes_in_space/{speaker}.log",
    benchmark:
        "results/benchmarks/shapes_in_space/{speaker}.tsv"
    wildcard_constraints:
        speaker=only(selection.speakers_in_space),
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code_of("shapes_in_space"),
        files=by_clip("face3d"),
    message:
        "Taking the faces of {wildcards.speaker} in space, without identity and pose"
    script:
        "../scripts/shapes_in_space.py"


rule write_weights:
    input:
        faces=lambda w: f"results/face3d/{selection.shard_of[w.clip]}.h5",
    output:
        table="results/blendshapes/{clip}.tsv",
    log:
        "results/logs/write_weights/{clip}.log",
    benchmark:
        "results/benchmarks/write_weights/{clip}.tsv"
    wildcard_constraints:
        clip=but(selection.speech),
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("write_weights"),
    message:
        "Writing the weights of {wildcards.clip}"
    script:
        "../scripts/write_weights.py"


rule weigh_prediction:
    input:
        predictions=of_model,
    output:
        table="results/blendshapes/{model}/{clip}.tsv",
    log:
        "results/logs/weigh_prediction/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/weigh_prediction/{model}/{clip}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("weigh_prediction"),
    message:
        "Writing the weights of {wildcards.clip} as {wildcards.model} predicts it"
    script:
        "../scripts/weigh_prediction.py"


# Of a dropped-in voice nobody saw the face: by the model that config chooses for it.
use rule weigh_prediction as weigh_speech with:
    input:
        predictions=lambda w: f"results/predictions/{selection.speech_animated}/{w.clip}.npy",
    output:
        table="results/blendshapes/{clip}.tsv",
    log:
        "results/logs/weigh_speech/{clip}.log",
    benchmark:
        "results/benchmarks/weigh_speech/{clip}.tsv"
    wildcard_constraints:
        clip=only(selection.speech),
    message:
        "Writing the weights of {wildcards.clip} by the model that config chooses for it"


rule draw_mesh:
    input:
        video=of_clip("video"),
        faces=lambda w: f"results/face3d/{selection.shard_of[w.clip]}.h5",
        identity=identity_of,
        audio=of_clip("sound"),
        face_model=head_model,
    output:
        film="results/mesh/{clip}.mp4",
    log:
        "results/logs/draw_mesh/{clip}.log",
    benchmark:
        "results/benchmarks/draw_mesh/{clip}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 2
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        code=code_of("draw_mesh"),
        start_s=lambda w: selection.start_s(w.clip),
        end_s=lambda w: selection.end_s(w.clip),
    message:
        "Laying the fitted head over the video of {wildcards.clip}"
    script:
        "../scripts/draw_mesh.py"


rule blendshapes_all:
    input:
        lambda w: expand("results/blendshapes/{clip}.tsv", clip=[*selection.usable("test"), *selection.speech]),
