# expects: the videos of the sheet, results/landmarks/{shard}.h5, results/shapes/{speaker}.h5, results/audio/{clip}.wav,
# results/predictions/{model}/{clip}.npy
# produces: results/comparison/{clip}.mp4, results/comparison/{model}/{clip}.mp4
# reads from config: comparison, look
