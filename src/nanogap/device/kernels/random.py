"""Random numbers whose whole state is four words: xoshiro256++.

Blackman & Vigna, ACM Trans. Math. Softw. 47, 36 (2021), doi:10.1145/3460772.
"""

import numpy as np
from numpy.typing import NDArray

from nanogap.device.kernels.compiling import inlined

_ELEVEN, _SEVENTEEN, _NINETEEN = np.uint64(11), np.uint64(17), np.uint64(19)
_TWENTY_THREE, _FORTY_ONE = np.uint64(23), np.uint64(41)
_FORTY_FIVE = np.uint64(45)
_UNIT = 2.0**-53


@inlined
def uniform(words: NDArray[np.uint64]) -> float:
    """Draw a number from 0, included, to 1, excluded, in steps of 2^-53."""
    first, second, third, fourth = words[0], words[1], words[2], words[3]
    total = first + fourth
    drawn = ((total << _TWENTY_THREE) | (total >> _FORTY_ONE)) + first
    third ^= first
    fourth ^= second
    words[1] = second ^ third
    words[0] = first ^ fourth
    words[2] = third ^ (second << _SEVENTEEN)
    words[3] = (fourth << _FORTY_FIVE) | (fourth >> _NINETEEN)
    return (drawn >> _ELEVEN) * _UNIT  # type: ignore[no-any-return]
