"""Surroundings of a bond of the fcc lattice, as a whole number.

Eight sites decide over how high a saddle an atom hops: the four that neighbour both ends, and four
beside the bond, each a neighbour of one end and a second neighbour of the other (an atom on a (111)
terrace hops past one shared atom through the hollow between two of the latter).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Occupations around a bond: of four shared sites, and 0 to 2 on either flank.
_OCCUPATIONS = 16 * 9


def occupation_index(shared: Sequence[int], flanks: tuple[int, int]) -> int:
    """Return the index in `KIND_OF` of what surrounds a bond; parameters as of `bond_kind`."""
    return sum(int(bit) << k for k, bit in enumerate(shared)) + 16 * (flanks[0] + 3 * flanks[1])


def _equivalents(shared: Sequence[int], flanks: tuple[int, int]) -> list[int]:
    """Return the indices of an occupation and its mirror images."""
    a, b, c, d = shared
    images = [((a, b, c, d), flanks), ((d, c, b, a), flanks)]
    images += [((q, p, s, r), sides[::-1]) for (p, q, r, s), sides in images]
    return [occupation_index(ring, (sides[0], sides[1])) for ring, sides in images]


def _number() -> NDArray[np.int32]:
    """Assign a number to each occupation, the same to equivalent ones."""
    found: dict[int, int] = {}
    numbers = []
    for index in range(_OCCUPATIONS):
        shared = [index >> k & 1 for k in range(4)]
        first = min(_equivalents(shared, (index // 16 % 3, index // 48)))
        numbers.append(found.setdefault(first, len(found)))
    return np.array(numbers, dtype=np.int32)


#: Kind of each occupation around a bond, shape (144,); see `occupation_index`.
KIND_OF: NDArray[np.int32] = _number()
#: Number of kinds.
KINDS = int(KIND_OF.max()) + 1


def bond_kind(shared: Sequence[int], flanks: tuple[int, int]) -> int:
    """Find the kind of what surrounds a bond.

    Parameters
    ----------
    shared : sequence of int
        Occupation (0 or 1) of the four sites that neighbour both ends, in the ring order of
        `nanogap.device.lattice.SHARED`.
    flanks : tuple of int
        Occupied sites, 0 to 2, beside the bond on the side of the first and last shared site, and
        on that of the other two.

    Returns
    -------
    int
        Below `KINDS`; the same for all mirror images, and for the hop back.
    """
    return int(KIND_OF[occupation_index(shared, flanks)])
