# expects: results/audio/{shard}.h5, files of marks that the sheet names; sound files in the folder that config names
# produces: results/phones/{shard}.tsv (layout: talkface/corpus/phones.py), results/voices.h5 (layout:
# talkface/training/voices.py) to train with
# reads from config: evaluate.splits, models.<name>.arguments.phone_weight
from talkface.corpus.annotations import find_marks
from talkface.corpus.phones import aligner


rule find_phones:
    input:
        audio="results/audio/{shard}.h5",
        marks=lambda w: [*filter(None, map(selection.marks, selection.spoken_in(w.shard)))],
    output:
        table="results/phones/{shard}.tsv",
    log:
        "results/logs/find_phones/{shard}.log",
    benchmark:
        "results/benchmarks/find_phones/{shard}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=lambda w: 10 + len(selection.spoken_in(w.shard)),
    params:
        code=code_of("find_phones"),
        clips=lambda w: selection.spoken_in(w.shard),
        marked=lambda w: [clip for clip in selection.spoken_in(w.shard) if selection.marks(clip)],
        start_s=lambda w: [selection.start_s(clip) for clip in selection.spoken_in(w.shard)],
        end_s=lambda w: [selection.end_s(clip) for clip in selection.spoken_in(w.shard)],
        aligner=aligner(),
    message:
        "Finding when the sounds of {wildcards.shard} are spoken"
    script:
        "../scripts/find_phones.py"


rule assemble_voices:
    input:
        recordings=lambda w: named(recorded_voices()),
        marks=lambda w: named(filter(None, map(find_marks, recorded_voices()))),
    output:
        voices="results/voices.h5",
    log:
        "results/logs/assemble_voices/voices.log",
    benchmark:
        "results/benchmarks/assemble_voices/voices.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 4
    resources:
        mem_mb=1500,
        runtime=120,
    params:
        code=code_of("assemble_voices"),
        aligner=aligner(),
    message:
        "Finding when which sound is spoken by voices"
    script:
        "../scripts/assemble_voices.py"
