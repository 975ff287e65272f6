"""Training: datasets, batches, the loop, and imported weights."""
