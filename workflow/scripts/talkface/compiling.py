"""Loops over arrays, compiled by numba and kept for the next process."""

from collections.abc import Callable

import numba


def compiled(**options) -> Callable:
    """numba.njit that keeps its work for the next process where a folder for that can be written."""

    def compile_function(function: Callable) -> Callable:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # neither this folder nor the user's own cache can be written
            return numba.njit(**options)(function)

    return compile_function
