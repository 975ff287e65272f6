# expects: config/demo.tsv (clip, voice, text); the record that config names, on the web; or a folder of one's own
# produces: resources/demo/{clip}.mp4 and resources/demo/truth/{clip}.h5 (what was drawn), of our own making;
# resources/corpora/{corpus}/clips.tsv, the sheet that a corpus by name is read from; beside it record.tsv, LICENCE.txt,
# videos/ and contents/ (layout: talkface/corpus/public.py)
# reads from config: corpus, corpora, split_by, seed
from talkface.corpus.public import CORPORA, FOLDER, OWN, named_sheet, own_files


# On the machine that Snakemake runs on: nodes of a cluster seldom reach the web.
localrules:
    list_corpus,
    fetch_archive,
    write_corpus_sheet,
    write_folder_sheet,
    fetch_corpus,


# All clips of one person are drawn by one job, which is why each person has a rule.
for person, drawn in selection.demo.items():

    rule:
        name:
            f"make_demo_clips_{person}"
        output:
            videos=expand("resources/demo/{clip}.mp4", clip=drawn["clip"]),
            truths=expand("resources/demo/truth/{clip}.h5", clip=drawn["clip"]),
        log:
            f"results/logs/make_demo_clips/{person}.log",
        benchmark:
            f"results/benchmarks/make_demo_clips/{person}.tsv"
        conda:
            "../../envs/drawing.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            code=code_of("make_demo_clips"),
            voices=list(drawn["voice"]),
            texts=list(drawn["text"]),
        message:
            f"Speaking and drawing the demo clips of {person}"
        script:
            "../scripts/make_demo_clips.py"


rule list_corpus:
    output:
        listing=f"{FOLDER}/{{corpus}}/record.tsv",
        licence=f"{FOLDER}/{{corpus}}/LICENCE.txt",
    log:
        "results/logs/list_corpus/{corpus}.log",
    benchmark:
        "results/benchmarks/list_corpus/{corpus}.tsv"
    wildcard_constraints:
        corpus=only(CORPORA),
    conda:
        "../../envs/corpus.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code_of("list_corpus"),
        record=lambda w: config["corpora"][w.corpus]["record"],
        archives=lambda w: selection.archives[w.corpus],
    message:
        "Reading what the record of {wildcards.corpus} lists, and its licence"
    script:
        "../scripts/list_corpus.py"


rule fetch_archive:
    input:
        listing=f"{FOLDER}/{{corpus}}/record.tsv",
        licence=f"{FOLDER}/{{corpus}}/LICENCE.txt",
    output:
        contents=f"{FOLDER}/{{corpus}}/contents/{{archive}}.tsv",
    log:
        "results/logs/fetch_archive/{corpus}/{archive}.log",
    benchmark:
        "results/benchmarks/fetch_archive/{corpus}/{archive}.tsv"
    wildcard_constraints:
        corpus=only(CORPORA),
        archive=only({Path(name).stem for names in selection.archives.values() for name in names}),
    conda:
        "../../envs/corpus.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=600,
        downloads=1,
    params:
        root=lambda w: f"{FOLDER}/{w.corpus}",
    message:
        "Fetching {wildcards.archive}.zip of {wildcards.corpus}; terms: {input.licence}"
    script:
        "../scripts/fetch_archive.py"


rule write_corpus_sheet:
    input:
        contents=lambda w: [
            f"{FOLDER}/{w.corpus}/contents/{Path(name).stem}.tsv" for name in selection.archives[w.corpus]
        ],
    output:
        sheet=f"{FOLDER}/{{corpus}}/clips.tsv",
    log:
        "results/logs/write_corpus_sheet/{corpus}.log",
    benchmark:
        "results/benchmarks/write_corpus_sheet/{corpus}.tsv"
    wildcard_constraints:
        corpus=only(CORPORA),
    conda:
        "../../envs/corpus.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("write_corpus_sheet"),
        root=lambda w: f"{FOLDER}/{w.corpus}",
        numbers=lambda w: selection.speakers_to_fetch[w.corpus],
    message:
        "Writing the sheet of {wildcards.corpus}"
    script:
        "../scripts/write_corpus_sheet.py"


rule write_folder_sheet:
    input:
        videos=lambda w: own_files(config["corpora"][OWN]["videos"]),
    output:
        sheet=f"{FOLDER}/{OWN}/clips.tsv",
    log:
        "results/logs/write_folder_sheet/sheet.log",
    benchmark:
        "results/benchmarks/write_folder_sheet/sheet.tsv"
    conda:
        "../../envs/corpus.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("write_folder_sheet"),
        folder=config["corpora"][OWN]["videos"],
        split_by=config["split_by"],
        seed=config["seed"],
    message:
        "Writing the sheet of a folder of your own"
    script:
        "../scripts/write_folder_sheet.py"


rule fetch_corpus:
    input:
        lambda w: named_sheet(selection.corpus),
