"""Arrays and tables that the compiled functions share.

Energies of the metal are whole numbers, so that they never drift and a Boltzmann factor is the
entry of a table: energies in meV, barriers in half meV, since a barrier holds half an energy
change. Arrays of sites have one more entry than there are sites: what lies beyond the first and
last layer, neither metal nor empty, so that no neighbour needs a question.

What an event asks of a site lies in one row of 16 bytes, four to a line of the processor's cache.
The inner functions are given the arrays themselves: numba counts references to every array of a
tuple that it hands on, which took forty times as long as the work.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanogap.typing import FloatArray, Int64Array

Int32Array = NDArray[np.int32]
LinkArray = NDArray[np.uint32]
ByteArray = NDArray[np.uint8]

#: State of what lies beyond the box, beside EMPTY, METAL and ION of the lattice.
OUTSIDE = 3
#: Kinds of events, and places in their counts.
METAL_HOP, ION_HOP, OXIDATION, REDUCTION, INSERTION, REMOVAL = range(6)
#: Events of one site: a hop in each of twelve directions, redox, removal by the bath.
REDOX_SLOT, REMOVAL_SLOT, N_SLOTS = 12, 13, 14
#: Why a kernel returned.
DURATION, EVENTS, CONTACT, OPENED, SURFACE = range(5)

#: Columns of `Sites.grid`: what the metal gains by an atom at the site, its neighbours included,
#: meV; second difference of the energy table at the site's coordination if it is metal, else 0;
#: state; number of metal neighbours.
ENERGY, BEND, STATE, COUNT, N_GRID = range(5)
#: Columns of `Sites.flags`: whether an atom stays; label of metal; whether changes are counted.
FIXED, LABEL, WATCHED, N_FLAGS = range(4)
#: Columns of `Sites.fields`: potentials, V; factors of the redox rates that a metal neighbour and
#: the site itself give; factors of the rate of an ion's hop that its ends give.
(
    METAL_POTENTIAL,
    MEDIUM_POTENTIAL,
    OXIDATION_METAL,
    REDUCTION_METAL,
    OXIDATION_MEDIUM,
    REDUCTION_MEDIUM,
    ION_FROM,
    ION_TO,
    N_FIELDS,
) = range(9)


class Sites(NamedTuple):
    """Occupation, what follows from it, and the potentials.

    Attributes
    ----------
    around : uint32, shape (n_sites + 1, 12)
        Neighbours; without sign, so that numba need not ask whether they count from the end.
    grid : int32, shape (n_sites + 1, 4)
    masks : uint32, shape (n_sites + 1,)
        See `nanogap.device.kernels.masks`.
    flags : uint8, shape (n_sites + 1, 3)
    fields : float64, shape (n_sites + 1, 8)
    inverse_temperature : float64, shape (n_sites + 1,), (1,) or (0,)
        1/kT, 1/eV: of each site; one where a force acts; none where tables hold the rates.
    force : float64, shape (n_sites + 1, 3) or (0, 3)
        Force on a hopping atom, eV/angstrom.
    """

    around: LinkArray
    grid: Int32Array
    masks: LinkArray
    flags: ByteArray
    fields: FloatArray
    inverse_temperature: FloatArray
    force: FloatArray


#: Rows of `Tables.levels`: energy of an atom with n metal neighbours, meV; its first differences
#: phi(n) - phi(n - 1); its second differences phi(n + 1) - 2 phi(n) + phi(n - 1); zero where
#: there is none.
PHI, SLOPE, CURVATURE = range(3)


class Tables(NamedTuple):
    """Tables of energies and rates at one temperature.

    Attributes
    ----------
    levels : int32, shape (3, 16)
    saddle : int32, shape (12, 12, 144)
        Symmetric part of a barrier by the coordination of both ends and the index of what
        surrounds the bond (`nanogap.device.bonds.occupation_index`), half meV.
    rate : float64
        Rate of a metal hop by its barrier, 1/s.
    bound : float64, shape (2, 8001)
        Factors of the rates of oxidation and reduction by the site's energy above that of a kink,
        from -4000 to 4000 meV.
    numbers : float64
        Single numbers, in the order of the places below.
    """

    levels: Int32Array
    saddle: Int32Array
    rate: FloatArray
    bound: FloatArray
    numbers: FloatArray


#: Places in `Tables.numbers`.
(
    LEAST_HALF_MEV,  # least barrier, half meV
    CAP_HALF_MEV,  # barrier of the cap of metal hops, half meV
    PREFACTOR,  # of metal hops, 1/s
    METAL_CAP,
    ION_CAP,
    REDOX_CAP,
    ION_RATE,  # of a hop without field, 1/s
    ION_PREFACTOR,
    ION_BARRIER,  # eV
    OXIDATION_RATE,  # k0
    REDUCTION_RATE,  # k0 / reference fraction
    TRANSFER,  # alpha
    SITE_TRANSFER,  # sigma
    EQUILIBRIUM,  # V
    BATH_INSERTION,  # per empty site, 1/s
    BATH_REMOVAL,  # per ion, 1/s
    BOND,  # angstrom
    EXCHANGE_BARRIER,  # eV
    MEAN_BETA,  # 1/kT that the rates of exchange above are of, 1/eV
    N_NUMBERS,
) = range(20)
#: Largest energy in `Tables.bound`, meV.
BOUND_RANGE = 4000


#: Most cells around a site, and one more for its own.
CELLS_AROUND = 13


class Tree(NamedTuple):
    """Sums of rates: eight of a level make one of the next; all levels lie in one array.

    Attributes
    ----------
    sums : float64
        From the leaves to the root, each level padded to whole eights.
    offsets : int64, shape (n_levels,)
        Where the levels begin.
    leaf : int32, shape (n_sites + 1,)
        Leaf of each site; neighbours in space are near each other.
    site : int32
        Site of each leaf.
    cells : int32, shape (n_sites, 13)
        Cells (eight leaves each) of the site's neighbours, each once, and from there its own.
    """

    sums: FloatArray
    offsets: Int64Array
    leaf: Int32Array
    site: Int32Array
    cells: Int32Array


#: Rows of `Work.lists`, and columns of `Work.marks` with which a site is listed once: sites whose
#: energy, coordination or occupation changed; sites whose rates are to be made anew.
TOUCHED, STALE = 0, 1
#: Places in `Work.numbers`: lengths of both lists; generation of the marks; numbers of rates and of
#: sums that the last event changed, and of cells in which it changed something.
N_TOUCHED, N_STALE, GENERATION, N_CHANGED, N_SUMS, N_OWN_CELLS, N_WORK = range(7)
#: Hops that are remembered at a time, and how many places each may choose from (powers of two); the
#: most words, rates and changed cells of each.
MEMORY_SLOTS, MEMORY_WAYS = 8192, 2
MEMORY_WORDS, MEMORY_RATES, MEMORY_CELLS = 448, 48, 48
#: Places in `Memory.words`: how many cells the hop changes, how many it reads, how many energies,
#: counts, rates and sums it changes; where these lists begin, in this order.
N_OWN, N_READ, N_ENERGIES, N_COUNTS_CHANGED, N_RATES, N_NODES, MEMORY_HEAD = range(7)


class Memory(NamedTuple):
    """Hops that are remembered, each in a slot of its own; see `nanogap.device.kernels.memory`.

    Two sides of a hop are the moments when the atom is at the one end and at the other.

    Attributes
    ----------
    fingerprints : int64, shape (n_cells,)
        Of the content of eight leaves each; see the module.
    marks, listed : int32 and uint32, shape (n_cells,)
        With which cells are listed once.
    before : int64, shape (n_cells,)
        Fingerprints of the listed cells as they were before an event.
    keys : int64, shape (n_slots,)
        Number of the bond; -1 of none.
    sums : int64, shape (n_slots, 2)
        Sum of the fingerprints of all cells that the hop reads, on either side.
    rises : int64, shape (n_slots, 48)
        Of the fingerprints of the cells that it changes, from the first side to the second.
    words : int32, shape (n_slots, 448)
        Numbers of the entries of each list, and then the lists: cells that the hop reads, first
        those in which it changes something; sites and by how much their energy rises from the
        first side to the second; sites and the rise of the second difference and of the count;
        leaves whose rates change; nodes whose sums change, from below, each with the first of the
        eight that it is the sum of.
    rates : float64, shape (n_slots, 2, 48)
        Rates of the leaves on either side.
    """

    fingerprints: Int64Array
    marks: Int32Array
    listed: LinkArray
    before: Int64Array
    keys: Int64Array
    sums: Int64Array
    rises: Int64Array
    words: Int32Array
    rates: FloatArray


class Work(NamedTuple):
    """Room for lists, and hops that are remembered: nothing that the future depends on.

    Attributes
    ----------
    lists : uint32, shape (2, n_sites + 2)
    queue : uint32, shape (n_sites + 1,)
        Sites of a search for clusters.
    marks : int32, shape (n_sites + 1, 2)
    numbers : int64, shape (6,)
    saved : int32, shape (n_sites + 1, 4)
        Rows of `Sites.grid` as they were, of the touched sites.
    old_rates : float64, shape (n_sites + 1,)
        Rates that changed as they were.
    nodes, children, node_marks : int32, shape (n_nodes,)
        Leaves whose rates changed and then the nodes above them whose sums were made anew; the
        first of the eight below each of the latter; when a sum was made anew.
    rates : float64, shape (14,)
        Rates of one site.
    """

    lists: LinkArray
    queue: LinkArray
    marks: Int32Array
    numbers: Int64Array
    saved: Int32Array
    old_rates: FloatArray
    nodes: Int32Array
    children: Int32Array
    node_marks: Int32Array
    rates: FloatArray
    memory: Memory


class Counts(NamedTuple):
    """Counters.

    Attributes
    ----------
    events : int64, shape (6,)
        Events by kind.
    transferred : int64, shape (5,)
        Elementary charges that left metal for the medium, by the label of the metal.
    numbers : int64
        Empty sites; redox events at watched sites; whether both electrodes are one; whole
        searches for clusters.
    random : uint64, shape (4,)
        State of the random numbers.
    """

    events: Int64Array
    transferred: Int64Array
    numbers: Int64Array
    random: NDArray[np.uint64]


N_EMPTY, N_WATCHED, IS_BRIDGED, N_SEARCHES, N_COUNTS = range(5)
