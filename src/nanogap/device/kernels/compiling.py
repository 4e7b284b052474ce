"""Compilation of the inner functions.

They allocate nothing, so numba need not count references to the arrays that they hand on: counting
takes half the time of an event. Divisions give infinity, as numpy's do, without a question.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function that allocates nothing."""
    return njit(_nrt=False, error_model="numpy")(function)  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """Compile a function that allocates nothing into those that call it."""
    return njit(_nrt=False, error_model="numpy", inline="always")(function)  # type: ignore[no-any-return]
