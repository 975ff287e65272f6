"""Triangles into pixels: nearest first, lit or textured, without a window or a graphics card.

Space: pixels x to the right and y down, with pixel centres at whole numbers; z towards the viewer, in any unit.

Axes: V vertices, F triangles, C channels, H and W of the picture.
"""

import numpy as np
from numpy.typing import NDArray

from talkface.compiling import compiled

# From where light comes: a strong one from the viewer's upper left, a weak one from the viewer; and what is everywhere.
LIGHTS = np.array([[-0.45, -0.55, 0.70], [0.5, 0.0, 0.87]], np.float32)
STRENGTHS, EVERYWHERE = np.array([0.62, 0.18], np.float32), 0.30


def rasterise(
    vertices: NDArray, triangles: NDArray, values: NDArray, picture: NDArray, depth: NDArray | None = None
) -> NDArray[np.float32]:
    """Draw triangles over a picture, in place.

    Parameters
    ----------
    vertices : (V, 3) float32 array
        Pixels, pixels, nearness.
    triangles : (F, 3) int32 array
        Those that turn their back, whose corners run clockwise as seen, are left out.
    values : (V, C) float32 array
        Of each vertex: colours, or coordinates in a texture; blended between the corners.
    picture : (H, W, C) float32 array
        What is behind.
    depth : (H, W) float32 array, optional
        How near what is there already lies, changed in place; by default all of it is behind.

    Returns
    -------
    (H, W) float32 array
        How near the drawn lies; -inf where nothing was drawn.

    Examples
    --------
    >>> picture = np.zeros((4, 4, 1), np.float32)
    >>> corners = np.array([[0, 0, 1], [0, 3, 1], [3, 0, 1]], np.float32)
    >>> near = rasterise(corners, np.array([[0, 1, 2]], np.int32), np.ones((3, 1), np.float32), picture)
    >>> picture[..., 0].astype(int).tolist()
    [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]]
    """
    if depth is None:
        depth = np.full(picture.shape[:2], -np.inf, np.float32)
    _rasterise(vertices, triangles, values, picture, depth)
    return depth


def shade(vertices: NDArray, triangles: NDArray, colours: NDArray) -> NDArray[np.float32]:
    """Light the colours (V, 3) of vertices (V, 3) in a common space, y down; both sides of a surface alike lit."""
    return _shade(vertices, triangles, colours, LIGHTS, STRENGTHS, np.float32(EVERYWHERE))


@compiled(fastmath=True)
def _rasterise(vertices: NDArray, triangles: NDArray, values: NDArray, picture: NDArray, depth: NDArray) -> None:
    height, width, channels = picture.shape
    for f in range(len(triangles)):
        a, b, c = triangles[f]
        ax, ay, bx, by, cx, cy = (
            vertices[a, 0], vertices[a, 1], vertices[b, 0], vertices[b, 1], vertices[c, 0], vertices[c, 1],
        )  # fmt: skip
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= 0:  # y points down: counterclockwise as seen is negative
            continue
        left, right = min(ax, bx, cx), max(ax, bx, cx)
        top, bottom = min(ay, by, cy), max(ay, by, cy)
        first_x, last_x = max(0, int(np.ceil(left))), min(width - 1, int(np.floor(right)))
        first_y, last_y = max(0, int(np.ceil(top))), min(height - 1, int(np.floor(bottom)))
        if first_x > last_x or first_y > last_y:
            continue
        inverse = 1 / area
        az, bz, cz = vertices[a, 2], vertices[b, 2], vertices[c, 2]
        for y in range(first_y, last_y + 1):
            for x in range(first_x, last_x + 1):
                of_b = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) * inverse
                of_c = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) * inverse
                of_a = 1 - of_b - of_c
                if of_a < 0 or of_b < 0 or of_c < 0:
                    continue
                near = of_a * az + of_b * bz + of_c * cz
                if near > depth[y, x]:
                    depth[y, x] = near
                    for channel in range(channels):
                        picture[y, x, channel] = (
                            of_a * values[a, channel] + of_b * values[b, channel] + of_c * values[c, channel]
                        )


@compiled(fastmath=True)
def _shade(
    vertices: NDArray, triangles: NDArray, colours: NDArray, lights: NDArray, strengths: NDArray, everywhere: np.float32
) -> NDArray[np.float32]:
    normals = np.zeros_like(vertices)
    for f in range(len(triangles)):
        a, b, c = triangles[f]
        ux, uy, uz = (vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2])
        vx, vy, vz = (vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2])
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in triangles[f]:
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    lit = np.empty_like(colours)
    for v in range(len(vertices)):
        nx, ny, nz = normals[v]
        length = max(np.sqrt(nx * nx + ny * ny + nz * nz), np.float32(1e-12))
        strength = everywhere
        for light in range(len(lights)):
            facing = (nx * lights[light, 0] + ny * lights[light, 1] + nz * lights[light, 2]) / length
            strength += strengths[light] * max(facing, np.float32(0))
        for channel in range(3):
            lit[v, channel] = min(colours[v, channel] * strength, np.float32(255))
    return lit
