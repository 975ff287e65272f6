"""Published training and generation of the network of Eskimez et al. 2018: cell by cell, window by window.

Written plainly, as Keras 2 computes a recurrent layer with `implementation=1`: at every step and for every gate, an
input and a state of its own, masked, times its part of the weights.
"""

import numpy as np
import torch

WINDOW = 75  # frames


def hard_sigmoid(x):
    """Apply the hard sigmoid of Keras 2."""
    return torch.clamp(0.2 * x + 0.5, 0, 1)


def plain_layer(layer, x, masks):
    """Compute outputs (B, T, U) of inputs (B, T, I), gate by gate; masks (4, B, I) and (4, B, U), or None."""
    kernel, recurrent_kernel, bias = (value.chunk(4, dim=-1) for value in layer.parameters())
    h = c = x.new_zeros(len(x), layer.units)
    outputs = []
    for step in range(x.shape[1]):
        z = []
        for gate in range(4):
            heard = x[:, step] if masks is None else x[:, step] * masks[0][gate]
            kept = h if masks is None else h * masks[1][gate]
            z.append(heard @ kernel[gate] + bias[gate] + kept @ recurrent_kernel[gate])
        c = hard_sigmoid(z[1]) * c + hard_sigmoid(z[0]) * torch.sigmoid(z[2])
        h = hard_sigmoid(z[3]) * torch.sigmoid(c)
        outputs.append(h)
    return torch.stack(outputs, dim=1)


def stacked_layer(layer, x, masks):
    """Compute the same with the four gates in one product."""
    kernel, recurrent_kernel = (
        torch.stack(value.chunk(4, dim=-1)) for value in (layer.kernel, layer.recurrent_kernel)
    )  # (4, I, U), (4, U, U)
    bias = torch.stack(layer.bias.chunk(4))[:, None]  # (4, 1, U)
    h = c = x.new_zeros(len(x), layer.units)
    outputs = []
    for step in range(x.shape[1]):
        z = torch.baddbmm(bias, x[:, step] * masks[0], kernel) + torch.bmm(h * masks[1], recurrent_kernel)
        i, f, o = hard_sigmoid(z[[0, 1, 3]])
        c = f * c + i * torch.sigmoid(z[2])
        h = o * torch.sigmoid(c)
        outputs.append(h)
    return torch.stack(outputs, dim=1)


def published_outputs(layers, inputs, run_layer=plain_layer):
    """Compute the last output of each window of 75 frames, (T, 136), of inputs (T, W); each window from its start."""
    outputs = []
    with torch.inference_mode():
        for frame in range(len(inputs)):
            window = inputs.new_zeros(1, WINDOW, inputs.shape[1])
            seen = inputs[max(0, frame - WINDOW + 1) : frame + 1]
            window[0, WINDOW - len(seen) :] = seen
            x = window
            for layer in layers:
                x = run_layer(layer, x, None)
            outputs.append(x[0, -1].numpy())
    return np.stack(outputs)


def keras_step(sizes, x, target):
    """Return a training step of Keras itself as a function, or None where tf_keras is not installed."""
    try:
        import tensorflow
        import tf_keras
    except ImportError:
        return None
    made = [
        tf_keras.layers.LSTM(
            units,
            activation="sigmoid",
            recurrent_activation="hard_sigmoid",
            return_sequences=True,
            dropout=0.2,
            recurrent_dropout=0.2,
            implementation=1,
        )
        for _, units in sizes
    ]
    model = tf_keras.Sequential([tf_keras.Input(x.shape[1:]), *made])
    given, wanted = tensorflow.constant(x.numpy()), tensorflow.constant(target.numpy())

    @tensorflow.function
    def step():
        with tensorflow.GradientTape() as tape:
            loss = tensorflow.reduce_mean(tensorflow.square(model(given, training=True) - wanted))
        return tape.gradient(loss, model.trainable_variables)

    return step
