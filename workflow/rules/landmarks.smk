# expects: the videos of the sheet; results/audio/{shard}.h5 for the check, results/shapes/{speaker}.h5 for the detector
# produces: results/landmarks/{shard}.h5, results/qc/clips.tsv, results/evaluation/detector/{shard}.h5 (layout:
# talkface/detector.py)
# reads from config: landmarks, qc, identity


rule detect_landmarks:
    input:
        videos=lambda w: [CLIPS.at[clip, "video"] for clip in SHARDS[w.shard]],
    output:
        landmarks="results/landmarks/{shard}.h5",
    log:
        "results/logs/detect_landmarks/{shard}.log",
    benchmark:
        "results/benchmarks/detect_landmarks/{shard}.tsv"
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        code=code_of("detect_landmarks"),
        clips=lambda w: SHARDS[w.shard],
        start_s=lambda w: [stretch(clip, "start_s") for clip in SHARDS[w.shard]],
        end_s=lambda w: [stretch(clip, "end_s") for clip in SHARDS[w.shard]],
        predictor=config["landmarks"]["predictor"],
        max_gap_frames=config["landmarks"]["max_gap_frames"],
        redetect_frames=config["landmarks"]["redetect_frames"],
        recount_frames=config["landmarks"]["recount_frames"],
    message:
        "Finding the landmarks of {wildcards.shard}"
    script:
        "../scripts/detect_landmarks.py"


rule landmark_all:
    input:
        [f"results/landmarks/{shard}.h5" for shard in SHARDS],
        "results/qc/clips.tsv",


rule check_quality:
    input:
        audio=[f"results/audio/{shard}.h5" for shard in SHARDS],
        landmarks=[f"results/landmarks/{shard}.h5" for shard in SHARDS],
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
        clips=list(CLIPS.index),
        speakers=list(CLIPS["speaker"]),
        splits=list(CLIPS["split"]),
        audio=[f"results/audio/{SHARD_OF[clip]}.h5" for clip in CLIPS.index],
        landmarks=[f"results/landmarks/{SHARD_OF[clip]}.h5" for clip in CLIPS.index],
        min_detected_share=config["qc"]["min_detected_share"],
        min_face_px=config["qc"]["min_face_px"],
        max_faces=config["qc"]["max_faces"],
        max_jitter_percent=config["qc"]["max_jitter_percent"],
        min_duration_s=config["qc"]["min_duration_s"],
        min_audio_dbfs=config["qc"]["min_audio_dbfs"],
        silence_dbfs=config["qc"]["silence_dbfs"],
        max_silence_share=config["qc"]["max_silence_share"],
        max_offset_ms=config["qc"]["max_offset_ms"],
    message:
        "Checking the quality of all clips"
    script:
        "../scripts/check_quality.py"


# Clips of each shard whose measurement is measured: those of the evaluated splits.
AGAIN = {shard: [clip for clip in clips if CLIPS.at[clip, "split"] in EVALUATED] for shard, clips in SHARDS.items()}
SPEAKER_OF = {shard: CLIPS.at[clips[0], "speaker"] for shard, clips in SHARDS.items()}


rule measure_detector:
    input:
        videos=lambda w: [CLIPS.at[clip, "video"] for clip in AGAIN[w.shard]],
        landmarks=lambda w: sorted({f"results/landmarks/{SHARD_OF[clip]}.h5" for clip in SPEAKERS[SPEAKER_OF[w.shard]]}),
        shapes=lambda w: f"results/shapes/{SPEAKER_OF[w.shard]}.h5",
    output:
        shapes="results/evaluation/detector/{shard}.h5",
    log:
        "results/logs/measure_detector/{shard}.log",
    benchmark:
        "results/benchmarks/measure_detector/{shard}.tsv"
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code_of("measure_detector"),
        clips=lambda w: AGAIN[w.shard],
        start_s=lambda w: [stretch(clip, "start_s") for clip in AGAIN[w.shard]],
        end_s=lambda w: [stretch(clip, "end_s") for clip in AGAIN[w.shard]],
        files=lambda w: {clip: f"results/landmarks/{SHARD_OF[clip]}.h5" for clip in SPEAKERS[SPEAKER_OF[w.shard]]},
        method=config["identity"]["method"],
        smooth_frames=config["identity"]["smooth_frames"],
        predictor=config["landmarks"]["predictor"],
        max_gap_frames=config["landmarks"]["max_gap_frames"],
        redetect_frames=config["landmarks"]["redetect_frames"],
        recount_frames=config["landmarks"]["recount_frames"],
    message:
        "Measuring the faces of {wildcards.shard} again, encoded anew and moved by a pixel"
    script:
        "../scripts/measure_detector.py"
