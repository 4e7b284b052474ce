"""Sums of rates in a tree of eights, each the sum of those below it, so nothing drifts."""

from nanogap.device.kernels.arrays import Int32Array
from nanogap.device.kernels.compiling import compiled, inlined
from nanogap.typing import FloatArray, Int64Array


@inlined
def sum_of_eight(sums: FloatArray, first: int) -> float:
    """Sum eight neighbours in one order."""
    return ((sums[first] + sums[first + 1]) + (sums[first + 2] + sums[first + 3])) + (  # type: ignore[no-any-return]
        (sums[first + 4] + sums[first + 5]) + (sums[first + 6] + sums[first + 7])
    )


@compiled
def sum_all(sums: FloatArray, offsets: Int64Array) -> None:
    """Make all sums anew from the leaves."""
    for level in range(1, len(offsets)):
        below, here = offsets[level - 1], offsets[level]
        for node in range((here - below) // 8):
            sums[here + node] = sum_of_eight(sums, below + 8 * node)


@compiled
def sum_above(
    sums: FloatArray,
    offsets: Int64Array,
    nodes: Int32Array,
    children: Int32Array,
    node_marks: Int32Array,
    mark: int,
    n_leaves: int,
) -> int:
    """Make the sums anew above the leaves listed in ``nodes``; add them there, return how many."""
    first, end = 0, n_leaves
    for level in range(1, len(offsets)):
        below, here = offsets[level - 1], offsets[level]
        count = end
        for place in range(first, end):
            above = (nodes[place] - below) >> 3
            node = here + above
            if node_marks[node] != mark:
                node_marks[node] = mark
                child = below + 8 * above
                sums[node] = sum_of_eight(sums, child)
                nodes[count] = node
                children[count - n_leaves] = child
                count += 1
        first, end = end, count
    return end - n_leaves


@inlined
def find_leaf(sums: FloatArray, offsets: Int64Array, target: float) -> tuple[int, float]:
    """Return the leaf in which a partial sum passes a target, and what of the target is left."""
    node = 0
    for level in range(len(offsets) - 2, -1, -1):
        first = offsets[level] + 8 * node
        last = -1  # the last with a rate: where rounding carries the target beyond all
        chosen = -1
        for child in range(8):
            rate = sums[first + child]
            if rate > 0.0:
                last = child
                if target < rate:
                    chosen = child
                    break
                target -= rate
        if chosen < 0:
            if last < 0:
                return -1, 0.0
            chosen = last
            target = sums[first + chosen]
        node = 8 * node + chosen
    return node, target
