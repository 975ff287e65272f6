# expects: the record that config names, on the web; or a folder of one's own
# produces: resources/corpora/{corpus}/clips.tsv, the sheet that a corpus by name is read from; beside it record.tsv,
# LICENCE.txt, videos/ and contents/ (layout: talkface/corpora.py)
# reads from config: corpus, corpora, split_by, seed
from talkface.corpus.public import CORPORA, FOLDER, OWN, archives_of, choose, named_sheet, own_files

try:
    CHOSEN = {name: choose(name, config["corpora"][name][CORPORA[name].unit]) for name in CORPORA}
except TalkfaceError as error:
    raise WorkflowError(str(error)) from None

OWN_VIDEOS = config["corpora"][OWN]["videos"]


# On the machine that Snakemake runs on: nodes of a cluster seldom reach the web.
localrules:
    list_corpus,
    fetch_archive,
    write_corpus_sheet,
    write_folder_sheet,
    fetch_corpus,


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
        "../../envs/fetch.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code_of("list_corpus"),
        record=lambda w: config["corpora"][w.corpus]["record"],
        archives=lambda w: archives_of(w.corpus, CHOSEN[w.corpus]),
    message:
        "Reading what the record of {wildcards.corpus} lists, and its licence"
    script:
        "../scripts/list_corpus.py"


# No code of the package among the inputs: an edit must not fetch gigabytes again. Whenever the rule runs, what has been
# fetched and agrees with the listing is kept; what has arrived of an archive is no output, so it outlives a failure.
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
        archive="|".join({Path(name).stem for corpus in CHOSEN for name in archives_of(corpus, CHOSEN[corpus])}),
    conda:
        "../../envs/fetch.yaml"
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
            f"{FOLDER}/{w.corpus}/contents/{Path(name).stem}.tsv" for name in archives_of(w.corpus, CHOSEN[w.corpus])
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
        "../../envs/fetch.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("write_corpus_sheet"),
        root=lambda w: f"{FOLDER}/{w.corpus}",
        numbers=lambda w: CHOSEN[w.corpus],
    message:
        "Writing the sheet of {wildcards.corpus}"
    script:
        "../scripts/write_corpus_sheet.py"


rule write_folder_sheet:
    input:
        videos=lambda w: own_files(OWN_VIDEOS),
    output:
        sheet=f"{FOLDER}/{OWN}/clips.tsv",
    log:
        "results/logs/write_folder_sheet/sheet.log",
    benchmark:
        "results/benchmarks/write_folder_sheet/sheet.tsv"
    conda:
        "../../envs/fetch.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("write_folder_sheet"),
        folder=OWN_VIDEOS,
        split_by=config["split_by"],
        seed=config["seed"],
    message:
        "Writing the sheet of a folder of your own"
    script:
        "../scripts/write_folder_sheet.py"


rule fetch_corpus:
    input:
        lambda w: named_sheet(CORPUS),
