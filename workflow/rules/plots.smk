# expects: results/landmarks/{shard}.h5, results/shapes/{speaker}.h5, results/audio/{clip}.wav; with a model
# results/predictions/{model}/{clip}.npy instead
# produces: results/plots/{clip}.mp4, {clip}/{frame}.png, results/identity/{clip}.png, the same below {model}/
# reads from config: plots, identity; through common.smk look
from talkface.drawing.style import TRUTH

# The file whose faces a plot shows.
plotted = of_clip("shapes" if config["plots"]["shape"] == "identity_free" else "landmarks")


rule draw_plot:
    input:
        faces=plotted,
        audio="results/audio/{clip}.wav",
    output:
        film="results/plots/{clip}.mp4",
    log:
        "results/logs/draw_plot/{clip}.log",
    benchmark:
        "results/benchmarks/draw_plot/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code_of("draw_plot"),
        shape=config["plots"]["shape"],
        kind=config["plots"]["kind"],
        numbers=config["plots"]["numbers"],
        mouth_only=config["plots"]["mouth_only"],
        size=config["plots"]["size"],
        method=config["identity"]["method"],
        smooth_frames=config["identity"]["smooth_frames"],
        colour=TRUTH,
    message:
        "Plotting the landmarks of {wildcards.clip}"
    script:
        "../scripts/draw_plot.py"


use rule draw_plot as draw_predicted_plot with:
    input:
        faces=of_model,
        audio="results/audio/{clip}.wav",
    output:
        film="results/plots/{model}/{clip}.mp4",
    log:
        "results/logs/draw_predicted_plot/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_predicted_plot/{model}/{clip}.tsv"
    params:
        colour=lambda w: colours(w.model)[w.model],
    message:
        "Plotting the landmarks of {wildcards.clip} as {wildcards.model} predicts them"


rule draw_plot_frame:
    input:
        faces=plotted,
    output:
        picture="results/plots/{clip}/{frame}.png",
    log:
        "results/logs/draw_plot_frame/{clip}/{frame}.log",
    benchmark:
        "results/benchmarks/draw_plot_frame/{clip}/{frame}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_plot_frame"),
        shape=config["plots"]["shape"],
        kind=config["plots"]["kind"],
        numbers=config["plots"]["numbers"],
        mouth_only=config["plots"]["mouth_only"],
        size=config["plots"]["size"],
        method=config["identity"]["method"],
        smooth_frames=config["identity"]["smooth_frames"],
        colour=TRUTH,
    message:
        "Plotting the landmarks of {wildcards.clip}, frame {wildcards.frame}"
    script:
        "../scripts/draw_plot_frame.py"


use rule draw_plot_frame as draw_predicted_plot_frame with:
    input:
        faces=of_model,
    output:
        picture="results/plots/{model}/{clip}/{frame}.png",
    log:
        "results/logs/draw_predicted_plot_frame/{model}/{clip}/{frame}.log",
    benchmark:
        "results/benchmarks/draw_predicted_plot_frame/{model}/{clip}/{frame}.tsv"
    params:
        colour=lambda w: colours(w.model)[w.model],
    message:
        "Plotting frame {wildcards.frame} of {wildcards.clip} as {wildcards.model} predicts it"


rule draw_identity:
    input:
        faces=of_clip("landmarks"),
        shapes=of_clip("shapes"),
        video=of_clip("video"),
    output:
        picture="results/identity/{clip}.png",
    log:
        "results/logs/draw_identity/{clip}.log",
    benchmark:
        "results/benchmarks/draw_identity/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        code=code_of("draw_identity"),
        start_s=lambda w: selection.start_s(w.clip),
        end_s=lambda w: selection.end_s(w.clip),
        method=config["identity"]["method"],
        threshold=config["identity"]["threshold"],
        reference_frames=config["identity"]["reference_frames"],
        smooth_frames=config["identity"]["smooth_frames"],
        colour=TRUTH,
    message:
        "Showing how {wildcards.clip} was freed of identity"
    script:
        "../scripts/draw_identity.py"


use rule draw_identity as draw_predicted_identity with:
    input:
        faces=of_model,
    output:
        picture="results/identity/{model}/{clip}.png",
    log:
        "results/logs/draw_predicted_identity/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_predicted_identity/{model}/{clip}.tsv"
    params:
        start_s=None,
        end_s=None,
        colour=lambda w: colours(w.model)[w.model],
    message:
        "Asking the rules of identity removal what {wildcards.model} predicts for {wildcards.clip}"


rule plots_all:
    input:
        lambda w: expand("results/plots/{clip}.mp4", clip=selection.usable()),


rule identity_all:
    input:
        lambda w: expand("results/identity/{clip}.png", clip=selection.usable()),
