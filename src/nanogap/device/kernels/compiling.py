"""Compilation of the inner functions.

They allocate nothing, so numba need not count references to the arrays that they hand on: counting
takes half the time of an event. Divisions give infinity, as numpy's do, without a question.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function that allocates nothing."""
    return njit(_nrt=False, error_model="numpy")(function)  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """Compile a function that allocates nothing into those that call it."""
    return njit(_nrt=False, error_model="numpy", inline="always")(function)  # type: ignore[no-any-return]


@intrinsic  # type: ignore[untyped-decorator]
def bits_of(_context: Any, number: Any) -> Any:
    """Give the bits of a float64 as an int64, in compiled functions."""

    def convert(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return (types.int64(number), convert) if number == types.float64 else None
