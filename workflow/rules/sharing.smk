# expects: results/models/{corpus}/{model}/weights.pt, results/predictions/{model}/{clip}.npy, results/audio/float/{clip}.wav; of
# imported models the files that shape_model names
# produces: results/shared/{model}/ (SPCH2FLM.pt, mean_shape.npy, eigen_vectors.npy; talkingFaceModel.h5),
# results/shared/{model}/{clip}/ (predicted.npy, speech_orig.npy); layouts: talkface/training/sharing.py,
# talkface/prediction/sharing.py
# reads from config: models.<name>.shape_model


rule share_torch:
    input:
        weights=weights_of,
        shape_model=lambda w: [*selection.shape_files(w.model).values()],
    output:
        state_dict="results/shared/{model}/SPCH2FLM.pt",
        mean="results/shared/{model}/mean_shape.npy",
        components="results/shared/{model}/eigen_vectors.npy",
    log:
        "results/logs/share_torch/{model}.log",
    benchmark:
        "results/benchmarks/share_torch/{model}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code_of("share_torch"),
        shape_model=lambda w: selection.shape_files(w.model),
    message:
        "Writing {wildcards.model} as Eskimez et al. 2020 have it"
    script:
        "../scripts/share_torch.py"


rule share_keras:
    input:
        weights=weights_of,
    output:
        model="results/shared/{model}/talkingFaceModel.h5",
    log:
        "results/logs/share_keras/{model}.log",
    benchmark:
        "results/benchmarks/share_keras/{model}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code_of("share_keras"),
    message:
        "Writing {wildcards.model} as Eskimez et al. 2018 have it"
    script:
        "../scripts/share_keras.py"


rule share_prediction:
    input:
        prediction=of_model,
        sound="results/audio/float/{clip}.wav",
        shape_model=lambda w: [*selection.shape_files(w.model).values()],
    output:
        faces="results/shared/{model}/{clip}/predicted.npy",
        speech="results/shared/{model}/{clip}/speech_orig.npy",
    log:
        "results/logs/share_prediction/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/share_prediction/{model}/{clip}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code_of("share_prediction"),
        shape_model=lambda w: selection.shape_files(w.model),
    message:
        "Writing what {wildcards.model} predicts of {wildcards.clip} as Eskimez et al. 2020 have it"
    script:
        "../scripts/share_prediction.py"
