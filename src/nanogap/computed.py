"""The habit that all analyses share: parameters first, then `compute`, then results.

It is that of freud (Ramasubramani et al., Comput. Phys. Commun. 254, 107275 (2020),
doi:10.1016/j.cpc.2020.107275): parameters in the constructor, data in `compute`, results as
properties that raise before there are data.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from itertools import chain
from types import MappingProxyType
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from nanogap.arguments import check_arguments, checked
from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import Printed, Rows, counted, listed, number, results_of
from nanogap.typing import FloatArray

Owner = TypeVar("Owner", bound="Analysis")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class Analysis(Printed):
    """Base of every analysis.

    A subclass takes its parameters in the constructor, its data in `compute` or, piece by piece,
    in `add`, and marks with `after_compute` what needs data. Data in the constructor are refused
    with a sentence that names the parameters.

    Parameters
    ----------
    arrays : tuple of str
        Of the subclass: parameters of its constructor that are arrays.

    Attributes
    ----------
    synthetic : bool
        Whether the data say that they are synthetic; set by who reads them, told by figures.
    subtracted : mapping of str to float
        Series resistance that was subtracted of each device before, ohm; set by who reads the data.
    prepared : int
        Readings that only prepared a device and were left out; set by who reads the data.

    Examples
    --------
    >>> class Mean(Analysis):
    ...     def compute(self, values):
    ...         self._mean = sum(values) / len(values)
    ...         return self
    ...
    ...     @property
    ...     @after_compute
    ...     def mean(self):
    ...         return self._mean
    >>> Mean().compute([1.0, 3.0]).mean
    2.0
    >>> Mean().compute([1.0, 3.0])
    Mean
      results  .mean
    >>> Mean().mean
    Traceback (most recent call last):
    AttributeError: call compute() first: this Mean has no data yet
    """

    synthetic: bool = False
    subtracted: Mapping[str, float] = MappingProxyType({})
    prepared: int = 0
    _has_data: bool = False
    #: Whether `nanogap.plot` draws it.
    _has_figure: bool = False

    def __init_subclass__(cls, arrays: tuple[str, ...] = ()) -> None:
        """Watch the constructor, `compute` and `add` of a subclass; check all arguments."""
        super().__init_subclass__()
        for name, watch in (("compute", _computing), ("add", _adding)):
            if name in cls.__dict__:
                setattr(cls, name, watch(cls.__dict__[name]))
        for name, member in list(vars(cls).items()):
            if inspect.isfunction(member) and not name.startswith("_"):
                setattr(cls, name, checked(member))
        if "__init__" in cls.__dict__:
            init = _parameters_only(cls, cls.__dict__["__init__"], arrays)
            setattr(cls, "__init__", init)  # noqa: B010  # a type checker wants no assignment

    def _found(self) -> Rows:
        """Give the results that are worth reading first, in words; only after `compute`."""
        return ()

    def _rows(self) -> Rows:
        if not self._has_data:
            call = "compute" if hasattr(self, "compute") else "add"
            yield "no data", f"call {call}() first"
            return
        if self.synthetic:
            yield "data", "synthetic"
        if self.subtracted:
            ohms = [f"{name} {number(one, 'ohm')}" for name, one in self.subtracted.items()]
            yield "subtracted", listed(ohms)
        if self.prepared:
            yield "left out", f"{counted(self.prepared, 'reading')} of the preparation"
        yield from self._found()
        yield "results", ", ".join(f".{name}" for name in results_of(type(self)))
        if self._has_figure:
            yield "figure", "nanogap.plot(...)"

    def _need_data(self) -> None:
        """Raise before there are data.

        Raises
        ------
        AttributeError
            If neither `compute` nor `add` has succeeded.
        """
        if not self._has_data:
            call = "compute" if hasattr(self, "compute") else "add"
            raise AttributeError(f"call {call}() first: this {type(self).__name__} has no data yet")


def after_compute(
    method: Callable[Concatenate[Owner, Arguments], Result],
) -> Callable[Concatenate[Owner, Arguments], Result]:
    """Mark a method of an `Analysis`, or below ``@property`` a result, that needs data."""

    @wraps(method)
    def guarded(self: Owner, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        self._need_data()
        return method(self, *args, **kwargs)

    return guarded


def as_trace(values: ArrayLike, name: str = "conductance") -> FloatArray:
    """Return data as one dimension of floating-point numbers.

    Parameters
    ----------
    values : array_like, shape (n_points,)
        List, numpy array, xarray.DataArray or pandas Series.
    name : str
        Quantity, for the error.

    Raises
    ------
    DataFormatError
        If they are no numbers in one dimension.

    Examples
    --------
    >>> as_trace([1, 2]).tolist()
    [1.0, 2.0]
    """
    if hasattr(values, "data_vars"):
        raise DataFormatError(
            f"the {name} must be an array, not a whole dataset: give a variable of it, such as "
            f"data[{name!r}]"
        )
    try:
        found = np.asarray(values)
        array = (
            None
            if values is None or found.dtype.kind in "cmM"
            else found.astype(np.float64, copy=False)
        )
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None:
        raise DataFormatError(
            f"the {name} must be real numbers in one dimension, not {type(values).__name__!r} of "
            "something else"
        )
    if array.ndim != 1:
        raise DataFormatError(
            f"the {name} has the shape {array.shape}; it must have one dimension: give one trace, "
            "or flatten it"
        )
    return array


def as_traces(**named: ArrayLike) -> tuple[FloatArray, ...]:
    """Return several data of the same points as floating-point arrays of one length.

    Raises
    ------
    DataFormatError
        If one is no trace, or the lengths differ.

    Examples
    --------
    >>> [array.tolist() for array in as_traces(voltage=[0, 1], current=[0, 2])]
    [[0.0, 1.0], [0.0, 2.0]]
    """
    arrays = tuple(as_trace(values, name) for name, values in named.items())
    if len({len(array) for array in arrays}) > 1:
        told = " and ".join(f"{len(a)} of {name}" for name, a in zip(named, arrays, strict=True))
        raise DataFormatError(f"there are {told}: give every point all of them")
    return arrays


def _computing(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Remember that there are data, or that the last attempt left none."""

    @wraps(compute)
    def computed(self: Analysis, *args: Any, **kwargs: Any) -> Any:
        self._has_data = False
        result = compute(self, *args, **kwargs)
        self._has_data = True
        return result

    return computed


def _adding(add: Callable[..., Any]) -> Callable[..., Any]:
    """Remember that there are data; those from before outlast a failure."""

    @wraps(add)
    def added(self: Analysis, *args: Any, **kwargs: Any) -> Any:
        result = add(self, *args, **kwargs)
        self._has_data = True
        return result

    return added


def _parameters_only(
    owner: type, init: Callable[..., None], arrays: tuple[str, ...]
) -> Callable[..., None]:
    """Refuse data in a constructor."""
    names = list(inspect.signature(init).parameters)[1:]

    @wraps(init)
    def parameters_only(self: Analysis, *args: Any, **kwargs: Any) -> None:
        given = chain(zip(names, args, strict=False), kwargs.items())
        if any(_are_data(value) for name, value in given if name not in arrays):
            call = "compute" if hasattr(owner, "compute") else "add"
            raise SettingsError(
                f"{owner.__name__} takes {', '.join(names)}: give the data to {call}()"
            )
        check_arguments(init, self, *args, **kwargs)
        init(self, *args, **kwargs)

    return parameters_only


def _are_data(value: Any) -> bool:
    """Whether a value is an array, a list or a dataset, and no single parameter."""
    if isinstance(value, list) or hasattr(value, "data_vars"):
        return True
    dimensions = getattr(value, "ndim", 0)
    return isinstance(dimensions, int) and dimensions > 0
