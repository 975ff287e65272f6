"""The published way to draw: a matplotlib figure for every frame, saved as a picture, then one call of ffmpeg."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Circle, Polygon

FOREHEAD = 0.03  # published: how far points 17, 19, 24 and 26 are raised
LIMITS = (-0.15, 0.15), (-0.20, 0.18)  # published: of the axes, with y upwards
UNIT = 0.167  # outer-eye distance in the published coordinates


def draw_published(shapes, folder):
    """Draw landmarks (T, 68, 2) of the template frame as frame00000.png ... of 1000 x 1000 pixels."""
    for frame, shape in enumerate(shapes * UNIT * [1, -1] + [0, 0.06]):
        figure = plt.figure(figsize=(10, 10), dpi=100)
        axes = figure.add_subplot(111)
        axes.set_xlim(*LIMITS[0])
        axes.set_ylim(*LIMITS[1])

        def patch(points, colour, axes=axes):
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
        figure.savefig(folder / f"frame{frame:05d}.png")
        plt.close(figure)
