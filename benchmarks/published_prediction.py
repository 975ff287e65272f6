"""Published prediction: one window at a time, in batches of one."""

import numpy as np
import torch

WINDOW, HOP = 2_240, 320  # samples at 8 kHz


def published_coefficients(network, samples):
    """Predict coefficients (T, 6) of float32 samples (S,) at 8 kHz.

    Parameters
    ----------
    network : published_training.PublishedNetwork
    samples : (S,) float32 array
        Divided by its peak, as the published code does before.
    """
    network.eval()
    padded = np.pad(samples, WINDOW // 2)  # half a window of zeros at both ends
    frames = (len(padded) - WINDOW) // HOP + 1
    found = []
    with torch.no_grad():
        for frame in range(frames):
            window = torch.from_numpy(padded[HOP * frame : HOP * frame + WINDOW])[None]
            found.append(network(window)[0].numpy())
    return np.stack(found)
