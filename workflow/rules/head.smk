# expects: the videos of config/persons.tsv, results/audio/{clip}.wav (a row of the sheet or a file of resources/speech/),
# the face model, the weights of the model that listens
# produces: results/persons/{person}/: landmarks.h5, quality.tsv, identity.h5, faces.h5, mouths.h5, audio.h5, voice.npz,
# refine.pt
# (layouts: talkface/head/), video<n>.mp4, the fitted mesh on a video;
# results/head_general/{corpus}.pt; results/head/{person}/{clip}.mp4 and {clip}_face.mp4; results/head/{person}/{clip}/: expression.tsv, frames.tsv,
# quality.tsv
# reads from config: head, media.audio_rate, landmarks, seed; through talkface/selection.py persons, face_model


rule track_person:
    input:
        videos=videos_of,
    output:
        landmarks="results/persons/{person}/landmarks.h5",
        quality="results/persons/{person}/quality.tsv",
    log:
        "results/logs/track_person/{person}.log",
    benchmark:
        "results/benchmarks/track_person/{person}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        code=code_of("track_person"),
        start_s=of_person("start_s"),
        end_s=of_person("end_s"),
        mesh=config["landmarks"]["mesh"],
        predictor=config["landmarks"]["predictor"],
        max_gap_frames=config["landmarks"]["max_gap_frames"],
        recount_frames=config["landmarks"]["recount_frames"],
    message:
        "Looking at the videos of {wildcards.person}"
    script:
        "../scripts/track_person.py"


use rule extract_audio as sound_of_person with:
    input:
        sources=videos_of,
    output:
        audio="results/persons/{person}/audio.h5",
    log:
        "results/logs/sound_of_person/{person}.log",
    benchmark:
        "results/benchmarks/sound_of_person/{person}.tsv"
    resources:
        mem_mb=500,
        runtime=20,
    params:
        code=code_of("extract_audio"),
        clips=of_person("names"),
        start_s=of_person("start_s"),
        end_s=of_person("end_s"),
        rate=config["media"]["audio_rate"],
    message:
        "Extracting the sound of {wildcards.person}"


use rule fit_identity as identity_of_person with:
    input:
        landmarks="results/persons/{person}/landmarks.h5",
    output:
        identity="results/persons/{person}/identity.h5",
    log:
        "results/logs/identity_of_person/{person}.log",
    benchmark:
        "results/benchmarks/identity_of_person/{person}.tsv"
    params:
        code=code_of("fit_identity"),
        files=lambda w: dict.fromkeys(selection.persons[w.person].names, f"results/persons/{w.person}/landmarks.h5"),
    message:
        "Fitting the face of {wildcards.person} in space"


use rule fit_faces as fit_person with:
    input:
        landmarks="results/persons/{person}/landmarks.h5",
        identity="results/persons/{person}/identity.h5",
        face_model=lambda w: selection.face_model if config["face3d"]["photometric"] else [],
        pictures=videos_of,
    output:
        faces="results/persons/{person}/faces.h5",
    log:
        "results/logs/fit_person/{person}.log",
    benchmark:
        "results/benchmarks/fit_person/{person}.tsv"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code_of("fit_faces"),
        clips=of_person("names"),
        videos=of_person("videos"),
        start_s=of_person("start_s"),
        end_s=of_person("end_s"),
    message:
        "Fitting all frames of {wildcards.person} in space"


use rule draw_mesh as draw_mesh_of_person with:
    input:
        video=lambda w: stretch_of(w)[0],
        faces="results/persons/{person}/faces.h5",
        identity="results/persons/{person}/identity.h5",
        audio="results/persons/{person}/audio.h5",
        face_model=head_model,
    output:
        film="results/persons/{person}/{clip}.mp4",
    log:
        "results/logs/draw_mesh_of_person/{person}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_mesh_of_person/{person}/{clip}.tsv"
    wildcard_constraints:
        clip=r"video\d+",
    params:
        code=code_of("draw_mesh"),
        start_s=lambda w: stretch_of(w)[1],
        end_s=lambda w: stretch_of(w)[2],
    message:
        "Laying the fitted head over {wildcards.clip} of {wildcards.person}"


rule cut_mouths:
    input:
        videos=videos_of,
        faces="results/persons/{person}/faces.h5",
        identity="results/persons/{person}/identity.h5",
        face_model=head_model,
    output:
        mouths="results/persons/{person}/mouths.h5",
    log:
        "results/logs/cut_mouths/{person}.log",
    benchmark:
        "results/benchmarks/cut_mouths/{person}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code_of("cut_mouths"),
        stretches=stretches_of,
    message:
        "Cutting out the mouths of {wildcards.person}"
    script:
        "../scripts/cut_mouths.py"


# The published network, on the clips of the sheet that are learnt from.
rule head_general:
    input:
        faces=lambda w: expand("results/face3d/{shard}.h5", shard=selection.train_shards),
        audio=lambda w: expand("results/audio/{shard}.h5", shard=selection.train_shards),
        weights=lambda w: weights_named(config["head"]["voice"]),
    output:
        weights="results/head_general/{corpus}.pt",
    log:
        "results/logs/head_general/{corpus}.log",
    benchmark:
        "results/benchmarks/head_general/{corpus}.tsv"
    wildcard_constraints:
        corpus=only([selection.corpus]),
    conda:
        "../../envs/head.yaml"
    threads: 2
    resources:
        mem_mb=6000,
        runtime=600,
    params:
        code=code_of("head_general"),
        clips=lambda w: selection.of_split("train"),
        seed=config["seed"],
        epochs=config["head"]["epochs"],
    message:
        "Training the published network of heads on {wildcards.corpus}"
    script:
        "../scripts/head_general.py"


rule learn_voice:
    input:
        faces="results/persons/{person}/faces.h5",
        audio="results/persons/{person}/audio.h5",
        weights=lambda w: weights_named(config["head"]["voice"]),
        general=lambda w: f"results/head_general/{selection.corpus}.pt" if config["head"]["general"] else [],
    output:
        voice="results/persons/{person}/voice.npz",
    log:
        "results/logs/learn_voice/{person}.log",
    benchmark:
        "results/benchmarks/learn_voice/{person}.tsv"
    conda:
        "../../envs/head.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        code=code_of("learn_voice"),
        kind=config["head"]["sound"],
        seed=config["seed"],
        epochs=config["head"]["epochs"],
    message:
        "Learning how the mouth of {wildcards.person} follows the voice"
    script:
        "../scripts/learn_voice.py"


rule learn_refinement:
    input:
        videos=videos_of,
        faces="results/persons/{person}/faces.h5",
        identity="results/persons/{person}/identity.h5",
        mouths="results/persons/{person}/mouths.h5",
        face_model=head_model,
    output:
        refine="results/persons/{person}/refine.pt",
    log:
        "results/logs/learn_refinement/{person}.log",
    benchmark:
        "results/benchmarks/learn_refinement/{person}.tsv"
    conda:
        "../../envs/head.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("learn_refinement"),
        stretches=stretches_of,
        steps=config["head"]["steps"],
        seed=config["seed"],
    message:
        "Learning to refine the mouths of {wildcards.person}"
    script:
        "../scripts/learn_refinement.py"


rule drive_head:
    input:
        voice="results/persons/{person}/voice.npz",
        audio="results/audio/{clip}.wav",
        weights=lambda w: weights_named(config["head"]["voice"]),
    output:
        expression="results/head/{person}/{clip}/expression.tsv",
    log:
        "results/logs/drive_head/{person}/{clip}.log",
    benchmark:
        "results/benchmarks/drive_head/{person}/{clip}.tsv"
    conda:
        "../../envs/head.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("drive_head"),
    message:
        "Moving the face of {wildcards.person} to {wildcards.clip}"
    script:
        "../scripts/drive_head.py"


rule choose_frames:
    input:
        expression="results/head/{person}/{clip}/expression.tsv",
        audio="results/audio/{clip}.wav",
        faces="results/persons/{person}/faces.h5",
        identity="results/persons/{person}/identity.h5",
        mouths="results/persons/{person}/mouths.h5",
        face_model=head_model,
    output:
        frames="results/head/{person}/{clip}/frames.tsv",
    log:
        "results/logs/choose_frames/{person}/{clip}.log",
    benchmark:
        "results/benchmarks/choose_frames/{person}/{clip}.tsv"
    conda:
        "../../envs/head.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("choose_frames"),
        how=config["head"]["pose"],
    message:
        "Choosing frames of {wildcards.person} for {wildcards.clip}"
    script:
        "../scripts/choose_frames.py"


rule draw_head:
    input:
        expression="results/head/{person}/{clip}/expression.tsv",
        frames="results/head/{person}/{clip}/frames.tsv",
        audio="results/audio/{clip}.wav",
        videos=videos_of,
        faces="results/persons/{person}/faces.h5",
        identity="results/persons/{person}/identity.h5",
        mouths="results/persons/{person}/mouths.h5",
        face_model=head_model,
        refine=refinement_of,
    output:
        film="results/head/{person}/{clip}.mp4",
    log:
        "results/logs/draw_head/{person}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_head/{person}/{clip}.tsv"
    wildcard_constraints:
        clip=r"[A-Za-z0-9][A-Za-z0-9_-]*(?<!_face)",
    conda:
        "../../envs/head.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code_of("draw_head"),
        stretches=stretches_of,
        picture=config["head"]["picture"],
        mark=config["head"]["mark"],
        view="full",
    message:
        "Drawing {wildcards.person} who says {wildcards.clip}"
    script:
        "../scripts/draw_head.py"


use rule draw_head as draw_head_face with:
    output:
        film="results/head/{person}/{clip}_face.mp4",
    log:
        "results/logs/draw_head_face/{person}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_head_face/{person}/{clip}.tsv"
    params:
        code=code_of("draw_head"),
        stretches=stretches_of,
        picture=config["head"]["picture"],
        mark=config["head"]["mark"],
        view="face",
    message:
        "Drawing the face of {wildcards.person} who says {wildcards.clip}"


rule measure_head:
    input:
        film="results/head/{person}/{clip}.mp4",
        expression="results/head/{person}/{clip}/expression.tsv",
        frames="results/head/{person}/{clip}/frames.tsv",
        videos=videos_of,
        faces="results/persons/{person}/faces.h5",
        identity="results/persons/{person}/identity.h5",
        voice="results/persons/{person}/voice.npz",
        face_model=head_model,
    output:
        table="results/head/{person}/{clip}/quality.tsv",
    log:
        "results/logs/measure_head/{person}/{clip}.log",
    benchmark:
        "results/benchmarks/measure_head/{person}/{clip}.tsv"
    conda:
        "../../envs/head.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("measure_head"),
        stretches=stretches_of,
        predictor=config["landmarks"]["predictor"],
        mesh=config["landmarks"]["mesh"],
    message:
        "Measuring the film of {wildcards.person} who says {wildcards.clip}"
    script:
        "../scripts/measure_head.py"


rule head_all:
    input:
        lambda w: expand(
            "results/head/{person}/{clip}{view}.mp4",
            person=selection.persons,
            clip=selection.speech,
            view=["", "_face"],
        ),
