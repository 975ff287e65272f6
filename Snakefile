# talkface: from talking-head videos to a face that speaks from audio alone.
#
# Paths of results/, from the video to the face (shapes and units: docs/targets.md):
#   audio/{shard}.h5, audio/{clip}.wav   frames/{clip}/   landmarks/{shard}.h5   shapes/{speaker}.h5   qc/clips.tsv
#   dataset/{corpus}.h5   models/{corpus}/{model}/   predictions/{model}/{clip}.npy   shared/{model}/   evaluation/
# To look at, each also below {model}/:
#   anim/{clip}.mp4, .gif   anim3d/{clip}.mp4   overlay/{clip}.mp4, {clip}/{frame}.png   plots/ (likewise)   source/{clip}.mp4
#   identity/{clip}.png   comparison/{clip}.mp4   curves/{clip}.svg
# A filmed person who speaks: persons/{person}/   head/{person}/{clip}.mp4, {clip}_face.mp4, {clip}/
# Of all of it: report.html   viewer.html   logs/{rule}/   benchmarks/{rule}/
from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/media.smk"
include: "workflow/rules/face.smk"
include: "workflow/rules/noise.smk"
include: "workflow/rules/voices.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/prediction.smk"
include: "workflow/rules/sharing.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/face3d.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/head.smk"
include: "workflow/rules/animation.smk"
include: "workflow/rules/overlay.smk"
include: "workflow/rules/plots.smk"
include: "workflow/rules/comparison.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/viewer.smk"
include: "workflow/rules/report.smk"


onsuccess:
    if judged_at() != judged_before:
        from talkface.corpus.quality import closing_line

        logger.info(closing_line(rules.check_quality.output.table))


rule all:
    default_target: True
    input:
        rules.train_all.input,
        rules.evaluate_all.input,
        rules.animate_all.input,
