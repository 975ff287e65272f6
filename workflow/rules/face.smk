# expects: the videos of the sheet; results/audio/{shard}.h5 for the check
# produces: results/landmarks/{shard}.h5, results/qc/clips.tsv, results/shapes/{speaker}.h5 (identity-free shapes in the
# template frame), results/evaluation/detector/{shard}.h5 (layout: talkface/face/detector_noise.py)
# reads from config: landmarks, qc, identity


rule detect_landmarks:
    input:
        videos=lambda w: [selection.clips.at[clip, "video"] for clip in selection.clips_of(w.shard)],
    output:
        landmarks="results/landmarks/{shard}.h5",
    log:
        "results/logs/detect_landmarks/{shard}.log",
    benchmark:
        "results/benchmarks/detect_landmarks/{shard}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=lambda w: 20 + 2 * len(selection.clips_of(w.shard)),
    params:
        code=code_of("detect_landmarks"),
        clips=lambda w: selection.clips_of(w.shard),
        start_s=lambda w: [selection.start_s(clip) for clip in selection.clips_of(w.shard)],
        end_s=lambda w: [selection.end_s(clip) for clip in selection.clips_of(w.shard)],
        detector=config["landmarks"]["detector"],
        predictor=config["landmarks"]["predictor"],
        mesh=config["landmarks"]["mesh"],
        max_gap_frames=config["landmarks"]["max_gap_frames"],
        redetect_frames=config["landmarks"]["redetect_frames"],
        recount_frames=config["landmarks"]["recount_frames"],
    message:
        "Finding the landmarks of {wildcards.shard}"
    script:
        "../scripts/detect_landmarks.py"


rule landmark_all:
    input:
        [f"results/landmarks/{shard}.h5" for shard in selection.shards],
        "results/qc/clips.tsv",


rule check_quality:
    input:
        audio=[f"results/audio/{shard}.h5" for shard in selection.shards],
        landmarks=[f"results/landmarks/{shard}.h5" for shard in selection.shards],
    output:
        table="results/qc/clips.tsv",
    log:
        "results/logs/check_quality/clips.log",
    benchmark:
        "results/benchmarks/check_quality/clips.tsv"
    conda:
        "../../envs/media.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code_of("check_quality"),
        clips=list(selection.clips.index),
        speakers=list(selection.clips["speaker"]),
        splits=list(selection.clips["split"]),
        audio=[f"results/audio/{selection.shard_of[clip]}.h5" for clip in selection.clips.index],
        landmarks=[f"results/landmarks/{selection.shard_of[clip]}.h5" for clip in selection.clips.index],
        min_detected_share=config["qc"]["min_detected_share"],
        min_face_px=config["qc"]["min_face_px"],
        max_faces=config["qc"]["max_faces"],
        max_jitter_percent=config["qc"]["max_jitter_percent"],
        min_duration_s=config["qc"]["min_duration_s"],
        min_audio_dbfs=config["qc"]["min_audio_dbfs"],
        silence_dbfs=config["qc"]["silence_dbfs"],
        max_silence_share=config["qc"]["max_silence_share"],
        min_mouth_motion_percent=config["qc"]["min_mouth_motion_percent"],
        max_mouth_doubt_share=config["qc"]["max_mouth_doubt_share"],
        max_length_gap_s=config["qc"]["max_length_gap_s"],
        max_offset_ms=config["qc"]["max_offset_ms"],
    message:
        "Checking the quality of all clips"
    script:
        "../scripts/check_quality.py"


rule remove_identity:
    input:
        landmarks=of_speaker("landmarks"),
    output:
        shapes="results/shapes/{speaker}.h5",
    log:
        "results/logs/remove_identity/{speaker}.log",
    benchmark:
        "results/benchmarks/remove_identity/{speaker}.tsv"
    wildcard_constraints:
        speaker=but(selection.speakers_in_space),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("remove_identity"),
        files=by_clip("landmarks"),
        detector=config["landmarks"]["detector"],
        method=config["identity"]["method"],
        threshold=config["identity"]["threshold"],
        reference_frames=config["identity"]["reference_frames"],
        smooth_frames=config["identity"]["smooth_frames"],
        reference=config["identity"]["reference"],
        max_doubt_share=config["qc"]["max_mouth_doubt_share"],
        min_motion_percent=config["qc"]["min_mouth_motion_percent"],
    message:
        "Removing the identity of {wildcards.speaker}"
    script:
        "../scripts/remove_identity.py"


rule measure_detector:
    input:
        videos=lambda w: [selection.clips.at[clip, "video"] for clip in selection.evaluated_in(w.shard)],
        landmarks=lambda w: sorted(
            {f"results/landmarks/{selection.shard_of[clip]}.h5" for clip in selection.clips_beside(w.shard)}
        ),
        shapes=lambda w: f"results/shapes/{selection.speaker_of[selection.clips_of(w.shard)[0]]}.h5",
    output:
        shapes="results/evaluation/detector/{shard}.h5",
    log:
        "results/logs/measure_detector/{shard}.log",
    benchmark:
        "results/benchmarks/measure_detector/{shard}.tsv"
    conda:
        "../../envs/face.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=lambda w: 30 + 4 * len(selection.evaluated_in(w.shard)),
    params:
        code=code_of("measure_detector"),
        clips=lambda w: selection.evaluated_in(w.shard),
        start_s=lambda w: [selection.start_s(clip) for clip in selection.evaluated_in(w.shard)],
        end_s=lambda w: [selection.end_s(clip) for clip in selection.evaluated_in(w.shard)],
        files=lambda w: {
            clip: f"results/landmarks/{selection.shard_of[clip]}.h5" for clip in selection.clips_beside(w.shard)
        },
        method=config["identity"]["method"],
        smooth_frames=config["identity"]["smooth_frames"],
        detector=config["landmarks"]["detector"],
        predictor=config["landmarks"]["predictor"],
        mesh=config["landmarks"]["mesh"],
        max_gap_frames=config["landmarks"]["max_gap_frames"],
        redetect_frames=config["landmarks"]["redetect_frames"],
        recount_frames=config["landmarks"]["recount_frames"],
    message:
        "Measuring the faces of {wildcards.shard} again, encoded anew and moved by a pixel"
    script:
        "../scripts/measure_detector.py"
