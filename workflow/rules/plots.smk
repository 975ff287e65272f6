# expects: results/landmarks/{shard}.h5, results/shapes/{speaker}.h5, results/audio/{clip}.wav; with a model
# results/predictions/{model}/{clip}.npy instead
# produces: results/plots/{clip}.mp4, {clip}/{frame}.png, results/identity/{clip}.png, the same below {model}/
# reads from config: plots, identity
