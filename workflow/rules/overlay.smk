# expects: the videos of the sheet, results/landmarks/{shard}.h5, results/audio/{clip}.wav; with a model also
# results/shapes/{speaker}.h5 and results/predictions/{model}/{clip}.npy
# produces: results/overlay/{clip}.mp4, {clip}/{frame}.png, the same below results/overlay/{model}/; results/source/{clip}.mp4
# reads from config: overlay
