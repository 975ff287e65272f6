"""Compilation of loops over arrays by numba, cached for later processes."""

from collections.abc import Callable
from typing import Any

import numba


def compiled(**options: Any) -> Callable[[Callable], Callable]:
    """Compile with numba.njit, cached for later processes where a folder for that can be written."""

    def compile_function(function: Callable) -> Callable:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # neither this folder nor the user's own cache can be written
            return numba.njit(**options)(function)

    return compile_function
