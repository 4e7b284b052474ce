"""Wires and the junctions between them, and Kirchhoff's laws for them.

A wire is all of one potential, as its resistance is far below that of a junction (Kasdorf's
MemNNetSim, https://github.com/marcus-k/MemNNetSim, calls this junction-dominated). Junction j
between wires a and b of conductance g_j carries g_j (u_a - u_b), and what flows into a wire flows
out of it:

    sum_j g_j (u_a - u_b) = I at the source, 0 at every other wire, u = 0 at the drain
"""

from dataclasses import dataclass
from itertools import pairwise

import mnns
import networkx as nx
import numpy as np

from nanogap.typing import BoolArray, FloatArray, Int64Array

#: Wires of a network, and sides of its square in lengths of a wire.
WIRES, SIDE = 100, 3.0


@dataclass(frozen=True)
class Wires:
    """Wires between two electrodes.

    Attributes
    ----------
    ends : ndarray of int, shape (n_junctions, 2)
        Wires that a junction joins; electrodes are the last two wires.
    lines : ndarray, shape (n_wires, 2, 2)
        Ends of the wires, lengths of a wire; those of the electrodes are the last two.
    places : ndarray, shape (n_junctions, 2)
        Where the junctions are.
    """

    ends: Int64Array
    lines: FloatArray
    places: FloatArray

    @property
    def source(self) -> int:
        """Wire into which the current flows."""
        return len(self.lines) - 2

    @property
    def drain(self) -> int:
        """Wire at 0 V."""
        return len(self.lines) - 1

    def laplacian(self, conductance: FloatArray) -> FloatArray:
        """Return the conductance matrix, S, shape (n_wires, n_wires): currents are it times u."""
        count = len(self.lines)
        a, b = self.ends.T
        flat = np.concatenate([a * count + a, b * count + b, a * count + b, b * count + a])
        values = np.concatenate([conductance, conductance, -conductance, -conductance])
        return np.asarray(
            np.bincount(flat, values, count * count).reshape(count, count), np.float64
        )

    def potentials(self, conductance: FloatArray) -> FloatArray:
        """Solve Kirchhoff's laws for 1 A from the source to the drain.

        Parameters
        ----------
        conductance : ndarray, shape (n_junctions,)
            S.

        Returns
        -------
        ndarray, shape (n_wires,)
            V; that of the source is the resistance of the network, ohm.
        """
        into = np.zeros(self.drain)
        into[self.source] = 1.0
        matrix = self.laplacian(conductance)[: self.drain, : self.drain]
        return np.append(np.linalg.solve(matrix, into), 0.0)

    def across(self, potential: FloatArray) -> FloatArray:
        """Return the voltage at every junction, V, shape (n_junctions,)."""
        return np.asarray(potential[self.ends[:, 0]] - potential[self.ends[:, 1]])

    def imbalance(self, conductance: FloatArray, potential: FloatArray) -> float:
        """Return the largest sum of the currents at a wire, for 1 A through the network, A."""
        through = conductance * self.across(potential)
        sums = np.zeros(len(self.lines))
        np.add.at(sums, self.ends[:, 0], through)
        np.add.at(sums, self.ends[:, 1], -through)
        sums[[self.source, self.drain]] += [-1.0, 1.0]
        return float(np.abs(sums).max())

    def path(self, closed: BoolArray) -> list[int]:
        """Return the junctions of a shortest way between the electrodes through closed ones.

        Parameters
        ----------
        closed : ndarray of bool, shape (n_junctions,)

        Returns
        -------
        list of int
            Empty if there is none.
        """
        graph = nx.Graph()
        graph.add_nodes_from([self.source, self.drain])
        for number in np.flatnonzero(closed):
            graph.add_edge(*self.ends[number].tolist(), junction=int(number))
        if not nx.has_path(graph, self.source, self.drain):
            return []
        way = nx.shortest_path(graph, self.source, self.drain)
        return [graph.edges[one, other]["junction"] for one, other in pairwise(way)]


def thrown(seed: int, electrodes: bool = True) -> "mnns.NanowireNetwork":
    """Throw wires on a square, by MemNNetSim.

    Parameters
    ----------
    seed : int
    electrodes : bool
        Whether to put one along the left and one along the right side.
    """
    network = mnns.create_NWN(shape=(SIDE, SIDE), density=WIRES / SIDE**2, seed=seed)
    if electrodes:
        mnns.add_electrodes(network, "left", "right")
    return network


def between_electrodes(seed: int) -> Wires:
    """Return the wires of a seed between electrodes at two sides of the square."""
    network = thrown(seed)
    return _joined(network, *network.electrodes)


def between_wires(seed: int, apart: int) -> Wires:
    """Return the wires of a seed between two of them, so many junctions apart.

    Of all such pairs it is the one whose wires lie nearest to the middle of the square.
    """
    network = thrown(seed, electrodes=False)
    off = {
        node: float(np.abs(np.mean(line.coords, axis=0) - 0.5 * SIDE).sum())
        for node, line in zip(sorted(network.nodes), network.graph["lines"], strict=True)
    }
    ways = nx.all_pairs_shortest_path_length(network, cutoff=apart)
    pairs = [
        (off[one] + off[other], one, other)
        for one, others in ways
        for other, length in others.items()
        if length == apart
    ]
    return _joined(network, *min(pairs)[1:])


def _joined(network: "mnns.NanowireNetwork", source: tuple[int], drain: tuple[int]) -> Wires:
    """Return what is connected to two wires, which are put last."""
    if not nx.has_path(network, source, drain):
        raise SystemExit(f"wires {source} and {drain} are not connected: give another seed")
    found = nx.node_connected_component(network, source) - {source, drain}
    kept = [*sorted(found), source, drain]
    number = {node: place for place, node in enumerate(kept)}
    pairs = [pair for pair in network.wire_junctions if pair[0] in number]
    places = [network.graph["loc"][tuple(sorted((a[0], b[0])))] for a, b in pairs]
    return Wires(
        np.array([(number[a], number[b]) for a, b in pairs]),
        np.array([network.graph["lines"][node[0]].coords for node in kept]),
        np.array([(place.x, place.y) for place in places]),
    )


def chain(junctions: int) -> Wires:
    """Return junctions in a row between the electrodes."""
    order = [junctions - 1, *range(junctions - 1), junctions]
    ends = np.array([order[:-1], order[1:]]).T
    return Wires(ends, np.zeros((junctions + 1, 2, 2)), np.zeros((junctions, 2)))


def wires_cost(seed: int, conductance: float) -> float:
    """Return what the resistance of the wires takes off the conductance, parts of it.

    Parameters
    ----------
    seed : int
        Between electrodes.
    conductance : float
        Of every junction, S.
    """
    found = []
    for parted in (False, True):
        network = thrown(seed)
        electrodes = network.electrodes
        if parted:
            mnns.convert_NWN_to_MNR(network)
        one = conductance * network.units["Ron"]
        nx.set_edge_attributes(
            network,
            {
                (a, b): {"conductance": one}
                for a, b, kind in network.edges(data="type")
                if kind == "junction"
            },
        )
        found.append(float(mnns.solve_drain_current(network, *electrodes, 1.0)))
    return 1.0 - found[1] / found[0]
