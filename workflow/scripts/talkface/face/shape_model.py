"""Shape model: the mean face and the directions in which faces of a corpus move (principal components).

A shape (68, 2) in the template frame is written with K coefficients: shape = mean + coefficients @ components, as in
Eskimez et al. 2020, whose eigenvectors play the same part. Components have unit norm and point by convention so that
their largest entry is positive, so that the same corpus gives the same signs everywhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FIELDS = ("mean", "components", "variance_ratio", "deviation")


@dataclass(frozen=True)
class ShapeModel:
    """Linear model of shapes.

    Attributes
    ----------
    mean : (68, D) float64 array
        Template frame; D is 2, or 3 of faces in space.
    components : (K, 68 D) float64 array
        Column D p + a moves coordinate a of point p. Rows fitted here are orthonormal; others need not be.
    variance_ratio : (K,) float64 array
        Share of the training frames' variance that lies along each component, falling.
    deviation : (K,) float64 array
        Standard deviation of the training frames' coefficients, template units.
    """

    mean: NDArray
    components: NDArray
    variance_ratio: NDArray
    deviation: NDArray

    def __len__(self) -> int:
        """Return the number of components, K."""
        return len(self.components)

    @property
    def fit(self) -> NDArray:
        """Matrix (136, K) that gives the least-squares coefficients of offsets from the mean, x and y of each point."""
        return self.fit_of(2)

    def fit_of(self, coordinates: int) -> NDArray:
        """Return the same matrix (68 C, K) of the first `coordinates` of each point, 2 or 3."""
        return np.linalg.pinv(self._seen(coordinates))

    def _seen(self, coordinates: int) -> NDArray:
        """Return the components (K, 68 C) of the first `coordinates` of each point."""
        seen = self.components.reshape(len(self), *self.mean.shape)[..., :coordinates]
        return seen.reshape(len(self), coordinates * len(self.mean))

    def encode(self, shape: ArrayLike) -> NDArray:
        """Compute the coefficients (..., K) of shapes (..., 68, 2 or 3): the least-squares fit of what is given."""
        shape = np.asarray(shape, np.float64)
        offset = shape - self.mean[:, : shape.shape[-1]]
        return offset.reshape(*offset.shape[:-2], -1) @ self.fit_of(shape.shape[-1])  # (..., K)

    def plane(self) -> "ShapeModel":
        """Return what the model says of x and y alone."""
        return ShapeModel(self.mean[:, :2], self._seen(2), self.variance_ratio, self.deviation)

    def decode(self, coefficients: ArrayLike) -> NDArray:
        """Compute the shapes (..., 68, D) of coefficients (..., K)."""
        offset = np.asarray(coefficients, np.float64) @ self.components  # (..., 68 D)
        return self.mean + offset.reshape(*offset.shape[:-1], *self.mean.shape)

    def first(self, count: int) -> "ShapeModel":
        """Return the same model with its first `count` components only."""
        if not 1 <= count <= len(self):
            raise ValueError(f"the shape model has {len(self)} components; {count} were asked for")
        return ShapeModel(self.mean, *(getattr(self, name)[:count] for name in FIELDS[1:]))


class ShapeStatistics:
    """Mean and covariance of shapes that arrive clip by clip, so that no corpus need fit in memory.

    Sums are taken about `origin`: far from it, the difference of two large sums would lose digits.
    """

    def __init__(self, origin: ArrayLike):
        self.origin = np.asarray(origin, np.float64)
        size = self.origin.size
        self.count = 0
        self._sum = np.zeros(size)
        self._products = np.zeros((size, size))

    def add(self, shape: NDArray) -> None:
        """Add the frames of one clip, (T, 68, 2 or 3)."""
        offset = (np.asarray(shape, np.float64) - self.origin).reshape(len(shape), -1)  # (T, 136)
        self.count += len(offset)
        self._sum += offset.sum(axis=0)
        self._products += offset.T @ offset

    def fit(self, components: int = 6) -> ShapeModel:
        """Compute the principal components of all frames added.

        Parameters
        ----------
        components : int
            How many to keep; 6 in Eskimez et al. 2020. Corpora with fewer directions of motion give fewer.

        Returns
        -------
        ShapeModel

        Raises
        ------
        ValueError
            If fewer than two frames have been taken in.
        """
        if self.count < 2:
            raise ValueError(f"a shape model needs at least two frames; {self.count} were given")
        mean = self._sum / self.count
        covariance = self._products / self.count - np.outer(mean, mean)  # (136, 136)
        variance, vectors = np.linalg.eigh(covariance)  # rising
        variance, vectors = variance[::-1].clip(min=0), vectors[:, ::-1].T  # falling; one component a row
        vectors = vectors[:components]
        largest = np.abs(vectors).argmax(axis=1)
        vectors = vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]
        total = variance.sum()
        ratio = variance[: len(vectors)] / (total if total > 0 else 1)
        deviation = np.sqrt(variance[: len(vectors)])
        return ShapeModel(self.origin + mean.reshape(self.origin.shape), vectors, ratio, deviation)


def fit_shape_model(shape: ArrayLike, *, components: int = 6) -> ShapeModel:
    """Fit a shape model to frames (T, 68, 2 or 3) that are all at hand; see `ShapeStatistics.fit`."""
    shape = np.asarray(shape)
    statistics = ShapeStatistics(shape[0])
    statistics.add(shape)
    return statistics.fit(components)
