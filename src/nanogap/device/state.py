"""Arrays of the engine, made from a lattice, energies and a medium; a moment of a device."""

import hashlib
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nanogap.device.bonds import KIND_OF, KINDS
from nanogap.device.kernels import arrays
from nanogap.device.lattice import EMPTY, Lattice, SiteStates
from nanogap.device.medium import ROOM_TEMPERATURE, Medium
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io.atomic import write_bytes
from nanogap.typing import BoolArray, FloatArray, Int64Array
from nanogap.units import BOLTZMANN

_SIGNATURE = b"nanogap lattice state 1\n"
#: Largest barrier in the table of rates, half meV: 8 eV.
_MOST_BARRIER = 16_000


class EnergyTables(Protocol):
    """Energies and barriers of a metal on its lattice."""

    @property
    def phi(self) -> FloatArray:
        """Energy of an atom with n metal neighbours, shape (13,), eV."""

    @property
    def saddle(self) -> FloatArray:
        """Symmetric part of the barriers, shape (12, 12, KINDS), eV."""

    @property
    def prefactor(self) -> float:
        """Attempt frequency, 1/s."""


@dataclass(frozen=True)
class Caps:
    """Caps on the slower rate of every reversible pair, 1/s; infinite for none.

    Both rates of a pair are scaled by min(1, cap/min(k_forward, k_back)), so no equilibrium
    changes, and processes slower than the cap are as they were.

    Attributes
    ----------
    metal, ion, redox : float
        Hops of atoms, hops of ions, redox.
    """

    metal: float = math.inf
    ion: float = math.inf
    redox: float = math.inf

    def __post_init__(self) -> None:
        for kind in ("metal", "ion", "redox"):
            cap = getattr(self, kind)
            if not cap > 0.0:
                raise SettingsError(
                    f"a cap of {cap:g}/s on {kind} events would stop them: choose above 0, or "
                    "infinite for none"
                )


@dataclass(frozen=True, eq=False)
class State:
    """Moment of a device.

    Attributes
    ----------
    time : float
        s.
    occupation : ndarray of uint8, shape (n_sites,)
        EMPTY, METAL or ION of `nanogap.device.lattice`.
    labels : ndarray of uint8, shape (n_sites,)
        Metal of the lower electrode 1, of the upper 2, of both 3, of none 4; elsewhere 0.
    bridged : bool
        Whether metal joins the electrodes.
    n_atoms, n_ions : int
    events : dict of str to int
        Events so far, by kind.
    charge : dict of str to int
        Elementary charges that went from metal into the medium so far, by the electrode: "lower",
        "upper", "bridged", "floating".
    """

    time: float
    occupation: SiteStates
    labels: NDArray[np.uint8]
    bridged: bool
    n_atoms: int
    n_ions: int
    events: dict[str, int]
    charge: dict[str, int]


def make_sites(lattice: Lattice, states: SiteStates, fixed: BoolArray) -> arrays.Sites:
    """Make the arrays of the sites, without what follows from the occupation."""
    count = len(lattice)
    around = np.full((count + 1, 12), count, dtype=np.uint32)
    around[:-1] = np.where(lattice.neighbours < 0, count, lattice.neighbours)
    grid = np.zeros((count + 1, arrays.N_GRID), dtype=np.int32)
    grid[:-1, arrays.STATE] = states
    grid[-1, arrays.STATE] = arrays.OUTSIDE
    masks = np.zeros(count + 1, dtype=np.uint32)
    flags = np.zeros((count + 1, arrays.N_FLAGS), dtype=np.uint8)
    flags[:-1, arrays.FIXED] = fixed
    fields = np.zeros((count + 1, arrays.N_FIELDS))
    return arrays.Sites(around, grid, masks, flags, fields, np.zeros(0), np.zeros((0, 3)))


def make_tree(lattice: Lattice) -> arrays.Tree:
    """Make an empty tree whose eights are blocks of 2 x 2 x 2 sites."""
    columns, rows, layers = lattice.shape
    layer, row, column = np.unravel_index(np.arange(len(lattice)), (layers, rows, columns))
    code = np.zeros(len(lattice), dtype=np.int64)
    for bit in range(20):
        for place, axis in enumerate((column, row, layer)):
            code |= (axis >> bit & 1) << (3 * bit + place)
    order = np.argsort(code, kind="stable")
    leaf = np.zeros(len(lattice) + 1, dtype=np.int32)
    leaf[order] = np.arange(len(lattice))
    leaf[-1] = len(lattice)  # the outside, whose rate stays 0
    offsets, size, total = [], len(lattice) + 1, 0
    while size > 1:
        size = 8 * math.ceil(size / 8)
        offsets.append(total)
        total += size
        size //= 8
    offsets.append(total)
    site = np.full(total, len(lattice), dtype=np.int32)
    site[: len(lattice)] = order
    offset_array = np.array(offsets, dtype=np.int64)
    return arrays.Tree(np.zeros(total + 1), offset_array, leaf, site, _cells_around(lattice, leaf))


def _cells_around(lattice: Lattice, leaf: arrays.Int32Array) -> arrays.Int32Array:
    """Return the cells of each site's neighbours, each once, and then its own."""
    own = leaf[:-1, None] >> 3
    found = np.sort(np.where(lattice.neighbours < 0, own, leaf[lattice.neighbours] >> 3), axis=1)
    found[:, 1:][found[:, 1:] == found[:, :-1]] = -1
    found = np.where(found == own, -1, found)
    order = np.argsort(found < 0, axis=1, kind="stable")  # the others in front
    found = np.take_along_axis(found, order, axis=1)
    return np.hstack([np.where(found < 0, own, found), own]).astype(np.int32)


def make_work(n_sites: int, n_nodes: int) -> arrays.Work:
    """Make room for lists."""
    return arrays.Work(
        lists=np.zeros((2, n_sites + 2), dtype=np.uint32),
        queue=np.zeros(n_sites + 1, dtype=np.uint32),
        marks=np.zeros((n_sites + 1, 2), dtype=np.int32),
        numbers=np.zeros(arrays.N_WORK, dtype=np.int64),
        saved=np.zeros((n_sites + 1, arrays.N_GRID), dtype=np.int32),
        old_rates=np.zeros(n_sites + 1),
        nodes=np.zeros(n_nodes, dtype=np.int32),
        children=np.zeros(n_nodes, dtype=np.int32),
        node_marks=np.zeros(n_nodes, dtype=np.int32),
        rates=np.zeros(arrays.N_SLOTS),
        memory=_make_memory(n_sites // 8 + 1),
    )


def _make_memory(n_cells: int) -> arrays.Memory:
    """Make room for hops that are remembered, none so far."""
    slots, int32, uint32 = arrays.MEMORY_SLOTS, np.int32, np.uint32
    return arrays.Memory(
        fingerprints=np.zeros(n_cells, dtype=np.int64),
        marks=np.zeros(n_cells, dtype=int32),
        listed=np.zeros(n_cells, dtype=uint32),
        before=np.zeros(n_cells, dtype=np.int64),
        keys=np.full(slots, -1, dtype=np.int64),
        sums=np.zeros((slots, 2), dtype=np.int64),
        rises=np.zeros((slots, arrays.MEMORY_CELLS), dtype=np.int64),
        words=np.zeros((slots, arrays.MEMORY_WORDS), dtype=int32),
        rates=np.zeros((slots, 2, arrays.MEMORY_RATES)),
    )


def make_counts(states: SiteStates, words: NDArray[np.uint64]) -> arrays.Counts:
    """Make counters, and random numbers that begin with four words."""
    numbers = np.zeros(arrays.N_COUNTS, dtype=np.int64)
    numbers[arrays.N_EMPTY] = int((states == EMPTY).sum())
    return arrays.Counts(
        np.zeros(6, dtype=np.int64), np.zeros(5, dtype=np.int64), numbers, words.astype(np.uint64)
    )


def make_tables(
    energies: EnergyTables,
    medium: Medium | None,
    caps: Caps,
    *,
    temperature: float,
    lattice: Lattice,
    least_barrier: float,
) -> arrays.Tables:
    """Make tables of whole-number energies and of rates at one temperature.

    Raises
    ------
    SettingsError
        If the symmetric part of the barriers is not symmetric.
    """
    beta = 1.0 / (BOLTZMANN * temperature)
    phi = np.rint(1000.0 * np.asarray(energies.phi)).astype(np.int32)
    half = np.rint(2000.0 * np.asarray(energies.saddle)).astype(np.int32)
    if phi.shape != (13,) or half.shape != (12, 12, KINDS):
        raise SettingsError(
            f"tables of energies {phi.shape} and barriers {half.shape} are not (13,) and "
            f"(12, 12, {KINDS})"
        )
    if (half != half.transpose(1, 0, 2)).any():
        raise SettingsError(
            "the table of barriers is not symmetric in the two ends of a hop: it would break "
            "detailed balance"
        )
    levels = np.zeros((3, 16), dtype=np.int32)
    levels[arrays.PHI, :13] = phi
    levels[arrays.SLOPE, 1:13] = np.diff(phi)
    levels[arrays.CURVATURE, 1:12] = np.diff(phi, 2)
    barriers = np.arange(_MOST_BARRIER + 1)
    rate = energies.prefactor * np.exp(-beta * 5e-4 * barriers)
    numbers = np.zeros(arrays.N_NUMBERS)
    numbers[arrays.LEAST_HALF_MEV] = round(2000.0 * least_barrier)
    if caps.metal < energies.prefactor:
        barrier = 2000.0 * math.log(energies.prefactor / caps.metal) / beta
        numbers[arrays.CAP_HALF_MEV] = round(barrier)
    numbers[arrays.PREFACTOR] = energies.prefactor
    numbers[arrays.METAL_CAP : arrays.REDOX_CAP + 1] = caps.metal, caps.ion, caps.redox
    numbers[arrays.BOND] = lattice.bond
    if medium is not None:
        _add_medium(numbers, medium, beta, lattice.site_volume)
    gain = 1e-3 * np.arange(-arrays.BOUND_RANGE, arrays.BOUND_RANGE + 1, dtype=np.float64)
    shares = np.array([1.0 - numbers[arrays.SITE_TRANSFER], -numbers[arrays.SITE_TRANSFER]])
    return arrays.Tables(
        levels,
        np.ascontiguousarray(half[:, :, KIND_OF]),
        rate,
        np.exp(beta * np.outer(shares, gain)),
        numbers,
    )


def _add_medium(numbers: FloatArray, medium: Medium, beta: float, site_volume: float) -> None:
    """Fill in the numbers of a medium."""
    reference = medium.site_fraction(medium.reference_concentration, site_volume)
    fraction = medium.site_fraction(medium.concentration, site_volume)
    numbers[arrays.ION_PREFACTOR] = medium.ion_prefactor
    numbers[arrays.ION_BARRIER] = medium.ion_barrier
    numbers[arrays.ION_RATE] = medium.ion_prefactor * math.exp(-beta * medium.ion_barrier)
    warmer = 1.0 / (BOLTZMANN * ROOM_TEMPERATURE) - beta
    exchange_rate = medium.exchange_rate * math.exp(medium.exchange_barrier * warmer)
    numbers[arrays.EXCHANGE_BARRIER] = medium.exchange_barrier
    numbers[arrays.MEAN_BETA] = beta
    numbers[arrays.OXIDATION_RATE] = exchange_rate
    numbers[arrays.REDUCTION_RATE] = exchange_rate / reference
    numbers[arrays.TRANSFER] = medium.transfer_coefficient
    numbers[arrays.SITE_TRANSFER] = medium.site_transfer_coefficient
    numbers[arrays.EQUILIBRIUM] = medium.equilibrium_potential
    numbers[arrays.BATH_INSERTION] = medium.bath_rate * fraction / (1.0 - fraction)
    numbers[arrays.BATH_REMOVAL] = medium.bath_rate


def save_arrays(path: Path, values: dict[str, NDArray[np.generic]]) -> None:
    """Write named arrays atomically, with a checksum."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **values)
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest().encode()
    write_bytes(path, _SIGNATURE + digest + b"\n" + content)


def load_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read named arrays.

    Raises
    ------
    DataFormatError
        If the file is missing, of another kind, or damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataFormatError(f"{path}: cannot be read: {error.strerror}") from error
    if not content.startswith(_SIGNATURE):
        raise DataFormatError(f"{path}: is no saved state of a device")
    digest, _, body = content[len(_SIGNATURE) :].partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise DataFormatError(f"{path}: is damaged: its checksum is another; use an earlier state")
    with np.load(io.BytesIO(body), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def random_words(seed: int) -> tuple[NDArray[np.uint64], np.random.Generator]:
    """Return the words of the event loop and a generator of the start, both from a seed."""
    events, start = np.random.SeedSequence(seed).spawn(2)
    return events.generate_state(4, np.uint64).astype(np.uint64), np.random.default_rng(start)


def event_names() -> tuple[str, ...]:
    """Names of the kinds of events, in the order of their counts."""
    return ("metal hop", "ion hop", "oxidation", "reduction", "insertion", "removal")


def charge_of(transferred: Int64Array) -> dict[str, int]:
    """Charges by the name of the electrode."""
    names = ("lower", "upper", "bridged", "floating")
    return {name: int(transferred[label]) for label, name in enumerate(names, 1)}
