# expects: the videos of the sheet and its sound files, or sound files in resources/speech
# produces: results/audio/{shard}.h5, results/audio/{clip}.wav, results/audio/float/{clip}.wav, results/frames/{clip}/
# reads from config: media


rule extract_audio:
    input:
        sources=lambda w: [selection.clips.at[clip, "audio"] for clip in selection.clips_of(w.shard)],
    output:
        audio="results/audio/{shard}.h5",
    log:
        "results/logs/extract_audio/{shard}.log",
    benchmark:
        "results/benchmarks/extract_audio/{shard}.tsv"
    conda:
        "../../envs/media.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=lambda w: 10 + len(selection.clips_of(w.shard)),
    params:
        code=code_of("extract_audio"),
        clips=lambda w: selection.clips_of(w.shard),
        start_s=lambda w: [selection.start_s(clip) for clip in selection.clips_of(w.shard)],
        end_s=lambda w: [selection.end_s(clip) for clip in selection.clips_of(w.shard)],
        rate=config["media"]["audio_rate"],
    message:
        "Extracting the sound of {wildcards.shard}"
    script:
        "../scripts/extract_audio.py"


rule extract_wav:
    input:
        source=lambda w: selection.sounds[w.clip],
    output:
        wav="results/audio/{clip}.wav",
    log:
        "results/logs/extract_wav/{clip}.log",
    benchmark:
        "results/benchmarks/extract_wav/{clip}.tsv"
    conda:
        "../../envs/media.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code_of("extract_wav"),
        start_s=lambda w: selection.start_s(w.clip),
        end_s=lambda w: selection.end_s(w.clip),
        rate=config["media"]["audio_rate"],
        as_float=False,
        stamp=lambda w: selection.stamp(w.clip),
    message:
        "Extracting the sound of {wildcards.clip}"
    script:
        "../scripts/extract_wav.py"


use rule extract_wav as extract_float_wav with:
    output:
        wav="results/audio/float/{clip}.wav",
    log:
        "results/logs/extract_float_wav/{clip}.log",
    benchmark:
        "results/benchmarks/extract_float_wav/{clip}.tsv"
    params:
        rate=None,
        as_float=True,
    message:
        "Extracting the sound of {wildcards.clip} at its own rate, not rounded"


rule extract_frames:
    input:
        video=lambda w: selection.videos[w.clip],
    output:
        folder=directory("results/frames/{clip}"),
    log:
        "results/logs/extract_frames/{clip}.log",
    benchmark:
        "results/benchmarks/extract_frames/{clip}.tsv"
    conda:
        "../../envs/media.yaml"
    threads: 2
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code_of("extract_frames"),
        start_s=lambda w: selection.start_s(w.clip),
        end_s=lambda w: selection.end_s(w.clip),
        jpeg_scale=config["media"]["jpeg_scale"],
        first_frame=config["media"]["first_frame"],
    message:
        "Extracting the frames of {wildcards.clip}"
    script:
        "../scripts/extract_frames.py"


rule extract_all:
    input:
        [f"results/audio/{shard}.h5" for shard in selection.shards],


rule frames_all:
    input:
        lambda w: [f"results/frames/{clip}" for clip in selection.pictured()],
