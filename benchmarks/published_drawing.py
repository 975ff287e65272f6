"""Published drawing: a matplotlib figure for every frame, saved as a picture, then one call of ffmpeg."""

import itertools

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Circle, Polygon

FOREHEAD = 0.03  # published: how far points 17, 19, 24 and 26 are raised
LIMITS = (-0.15, 0.15), (-0.20, 0.18)  # published: of the axes, with y upwards
ENDS = (0, 17, 22, 27, 31, 36, 42, 48, 60, 68)  # of jaw, brows, nose, eyes, lips
UNIT = 0.167  # outer-eye distance in the published coordinates


def draw_published(shapes, folder):
    """Draw landmarks (T, 68, 2) of the template frame as frame00000.png ... of 1000 x 1000 pixels."""
    for frame, shape in enumerate(in_axes(shapes)):
        figure = plt.figure(figsize=(10, 10), dpi=100)
        draw_face(figure.add_subplot(111), shape)
        figure.savefig(folder / f"frame{frame:05d}.png")
        plt.close(figure)


def draw_published_panels(pictures, truth, predictions, folder):
    """Draw pictures of a video, landmarks as lines and predicted faces beside each other, 1500 x 500 pixels."""
    for frame, (picture, measured, shape) in enumerate(zip(pictures, in_axes(truth), in_axes(predictions))):
        figure = plt.figure(figsize=(15, 5), dpi=100)
        for place, title in enumerate(("source", "landmarks", "prediction"), start=1):
            axes = figure.add_subplot(1, 3, place)
            axes.set_title(title)
            if title == "source":
                axes.imshow(picture[..., ::-1])
                axes.text(10, 490, f"frame {frame}   {frame / 25:.2f} s", color="white")
            elif title == "landmarks":
                axes.set_xlim(*LIMITS[0])
                axes.set_ylim(*LIMITS[1])
                for first, last in itertools.pairwise(ENDS):
                    axes.plot(*measured[first:last].T, color="black")
            else:
                draw_face(axes, shape)
                axes.plot(*measured[48:60].T, color="black", linewidth=1)
        figure.savefig(folder / f"panels{frame:05d}.png")
        plt.close(figure)


def in_axes(shapes):
    """Convert landmarks (T, 68, 2) of the template frame to the published coordinates."""
    return shapes * UNIT * [1, -1] + [0, 0.06]


def draw_face(axes, shape):
    """Draw one face (68, 2), published coordinates."""
    axes.set_xlim(*LIMITS[0])
    axes.set_ylim(*LIMITS[1])

    def patch(points, colour):
        axes.add_patch(Polygon(points, closed=True, color=colour))

    raised = shape[[26, 24, 19, 17]] + [0, FOREHEAD]
    patch([*shape[:17], *raised], (0.69, 0.49, 0.30))
    patch(shape[[27, 31, 30]], (0.64, 0.44, 0.25))
    patch(shape[[27, 30, 35]], (0.76, 0.56, 0.36))
    patch(shape[[30, 31, 32, 33, 34, 35]], (0.60, 0.39, 0.20))
    patch(shape[48:60], (0.70, 0.29, 0.19))
    patch(shape[60:68], (0, 0, 0))
    for first in (17, 22):
        axes.plot(*shape[first : first + 5].T, color=(0.33, 0.19, 0.04), linewidth=4)
    for first in (36, 42):
        eye = shape[first : first + 6]
        patch(eye, (1, 1, 1))
        lids = Polygon(eye, closed=True, transform=axes.transData)
        for radius, colour in ((0.013, (0, 0.5, 0)), (0.005, (0, 0, 0))):
            disc = axes.add_patch(Circle(eye.mean(axis=0), radius, color=colour))
            disc.set_clip_path(lids)
