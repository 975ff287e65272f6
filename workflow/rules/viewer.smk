# expects: results/evaluation/clips/{model}.tsv, results/dataset/{corpus}.h5, results/audio/{shard}.h5, results/models/{model}/,
# results/landmarks/{shard}.h5, the videos of the sheet
# produces: results/viewer/ and results/viewer.html
# reads from config: viewer, look, seed, training.device
