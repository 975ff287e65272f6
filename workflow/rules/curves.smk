# expects: results/audio/{clip}.wav, results/shapes/{speaker}.h5, results/predictions/{model}/{clip}.npy
# produces: results/curves/{clip}.svg, results/curves/{model}/{clip}.svg, results/evaluation/rmse_{clip}.tsv,
# results/evaluation/{model}/rmse_{clip}.tsv
# reads from config: look, seed
