"""One row a clip: accepted, or the reason why not."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.corpus.quality import check_quality

    check_quality(
        snakemake.output.table,
        clips=snakemake.params.clips,
        speakers=snakemake.params.speakers,
        splits=snakemake.params.splits,
        audio=snakemake.params.audio,
        landmarks=snakemake.params.landmarks,
        min_detected_share=snakemake.params.min_detected_share,
        min_face_px=snakemake.params.min_face_px,
        max_faces=snakemake.params.max_faces,
        max_jitter_percent=snakemake.params.max_jitter_percent,
        min_duration_s=snakemake.params.min_duration_s,
        min_audio_dbfs=snakemake.params.min_audio_dbfs,
        silence_dbfs=snakemake.params.silence_dbfs,
        max_silence_share=snakemake.params.max_silence_share,
        min_mouth_motion_percent=snakemake.params.min_mouth_motion_percent,
        max_mouth_doubt_share=snakemake.params.max_mouth_doubt_share,
        max_length_gap_s=snakemake.params.max_length_gap_s,
        max_offset_ms=snakemake.params.max_offset_ms,
    )
