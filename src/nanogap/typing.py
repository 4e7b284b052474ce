"""Types of arrays, and a kind of field, that many modules name."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
Int64Array = NDArray[np.int64]

#: Metadata of a field of a data class that JSON leaves out where it is None.
ABSENT_IF_NONE: Mapping[str, bool] = MappingProxyType({"absent_if_none": True})
