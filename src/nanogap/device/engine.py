"""Kinetic Monte Carlo of atoms and ions on a lattice, without rejection.

Every rate follows from occupation and potentials; after an event only what can have changed is made
anew. Equations and sources are in `docs/device-kinetics.md`, events in `nanogap.device.kernels`.
"""

import copy
import math
import time
from pathlib import Path

import numpy as np

from nanogap.device import state as states
from nanogap.device.advance import Advance, Reason
from nanogap.device.conditions import (
    check_potentials,
    checked_temperature,
    padded_force,
    rate_share,
)
from nanogap.device.kernels import arrays, entry
from nanogap.device.kernels.arrays import Int32Array
from nanogap.device.lattice import EMPTY, ION, METAL, Lattice
from nanogap.device.medium import Medium
from nanogap.device.occupation import check_occupation, draw_ions, put_ions
from nanogap.device.state import Caps, EnergyTables, State
from nanogap.digest import content_digest
from nanogap.errors import OtherStateError, SettingsError
from nanogap.typing import BoolArray, FloatArray
from nanogap.units import BOLTZMANN

#: Seconds of wall time after which Python has its turn.
_TURN = 0.2
_FIRST_TURN, _LONGEST_TURN = 20_000, 5_000_000
#: Least barrier of the downhill direction of a hop, eV.
LEAST_BARRIER = 0.01


class LatticeKMC:
    """Atoms and ions on a lattice, in time.

    Parameters
    ----------
    lattice : Lattice
    metal : ndarray of bool, shape (n_sites,)
        Sites with an atom at the start.
    fixed : ndarray of bool, shape (n_sites,)
        Sites of the bases, whose atoms stay: those in the lower half of the box are the lower
        electrode, the others the upper.
    energies : EnergyTables
        Energies are rounded to 1 meV, barriers to 0.5 meV.
    medium : Medium or None
        None for vacuum, without ions.
    ions : ndarray of bool, shape (n_sites,), optional
        Sites with an ion at the start; drawn at random by the medium's concentration otherwise.
    temperature : float
        K.
    seed : int
    caps : Caps
    least_barrier : float
        Least barrier of the downhill direction of a hop, eV.

    Raises
    ------
    SettingsError
        If something given cannot be.

    Examples
    --------
    An atom on a terrace, whose only event is to hop (see `nanogap.device.state.EnergyTables` for
    what stands for a metal):

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from nanogap.device.engine import LatticeKMC
    >>> from nanogap.device.lattice import build_lattice
    >>> lattice = build_lattice(4.09, 20.0, 20.0, 6)
    >>> metal = lattice.layer < 3
    >>> metal[np.flatnonzero(lattice.layer == 3)[0]] = True
    >>> silver = SimpleNamespace(
    ...     phi=-0.24 * np.arange(13.0), saddle=np.full((12, 12, 51), 0.1), prefactor=1e12
    ... )
    >>> device = LatticeKMC(lattice, metal, lattice.layer < 3, silver, temperature=300.0, seed=1)
    >>> device.advance(1.0, max_events=1000).events
    1000
    >>> device.state.n_atoms == int(metal.sum())
    True
    """

    def __init__(
        self,
        lattice: Lattice,
        metal: BoolArray,
        fixed: BoolArray,
        energies: EnergyTables,
        medium: Medium | None = None,
        *,
        ions: BoolArray | None = None,
        temperature: float | FloatArray = 300.0,
        seed: int = 0,
        caps: Caps | None = None,
        least_barrier: float = LEAST_BARRIER,
    ) -> None:
        check_occupation(lattice, metal, fixed)
        self.lattice = lattice
        self.energies = energies
        self.medium = medium
        self.least_barrier = least_barrier
        self.time = 0.0
        self._caps = Caps() if caps is None else caps
        words, start = states.random_words(seed)
        occupation = np.where(metal, METAL, EMPTY).astype(np.uint8)
        if ions is not None:
            put_ions(occupation, medium, ions)
        elif medium is not None:
            draw_ions(occupation, medium, lattice.site_volume, start)
        self._sites = states.make_sites(lattice, occupation, fixed)
        self._tree = states.make_tree(lattice)
        self._work = states.make_work(len(lattice), len(self._tree.sums))
        self._counts = states.make_counts(occupation, words)
        self._turn = _FIRST_TURN
        self._identity = content_digest(
            lattice.neighbours,
            np.asarray(fixed),
            np.asarray(energies.phi),
            np.asarray(energies.saddle),
            float(energies.prefactor),
            None if medium is None else repr(medium),
            float(least_barrier),
        )
        self._field: FloatArray | None = None
        self.set_temperature(temperature)

    @property
    def state(self) -> State:
        """Copy of the present moment."""
        occupation = self._states().astype(np.uint8)
        return State(
            time=self.time,
            occupation=occupation,
            labels=self._sites.flags[:-1, arrays.LABEL].copy(),
            bridged=bool(self._counts.numbers[arrays.IS_BRIDGED]),
            n_atoms=int((occupation == METAL).sum()),
            n_ions=int((occupation == ION).sum()),
            events=dict(zip(states.event_names(), self._counts.events.tolist(), strict=True)),
            charge=states.charge_of(self._counts.transferred),
        )

    @property
    def metal_events(self) -> int:
        """Events so far that moved metal: its hops, oxidations and reductions."""
        counts = self._counts.events
        return int(counts[arrays.METAL_HOP] + counts[arrays.OXIDATION] + counts[arrays.REDUCTION])

    @property
    def caps(self) -> Caps:
        """Caps on reversible pairs."""
        return self._caps

    @property
    def total_rate(self) -> float:
        """Sum of all rates, 1/s: events per simulated second, at this moment."""
        bath = self._tables.numbers[arrays.BATH_INSERTION]
        return float(self._tree.sums[-1] + bath * self._counts.numbers[arrays.N_EMPTY])

    def rates_of_site(self, site: int) -> FloatArray:
        """Rates of a site's events, 1/s.

        Parameters
        ----------
        site : int

        Returns
        -------
        ndarray, shape (14,)
            Hops in the twelve directions of `NEIGHBOUR_VECTORS`, redox, removal by the bath.
        """
        rates = np.zeros(arrays.N_SLOTS)
        entry.rates_of_site(self._sites, self._tables, site, rates)
        return rates if self._sites.grid[site, arrays.STATE] != EMPTY else np.zeros(arrays.N_SLOTS)

    def set_caps(self, caps: Caps) -> None:
        """Choose other caps on reversible pairs."""
        self._caps = caps
        self._make_tables()

    def set_temperature(self, temperature: float | FloatArray) -> None:
        """Choose the temperature.

        Parameters
        ----------
        temperature : float or ndarray, shape (n_sites,)
            K. A field takes the mean of 1/kT over the ends of a hop; it costs the tables of rates
            that one temperature allows.

        Raises
        ------
        SettingsError
            If a temperature is not above zero.
        """
        values = checked_temperature(temperature, len(self.lattice))
        self._temperature = float(values.mean())
        self._field = values.copy() if values.ndim else None
        self._make_tables()

    def set_potential(self, metal: FloatArray, medium: FloatArray) -> None:
        """Choose the potentials, as they stay until the next call.

        Parameters
        ----------
        metal : ndarray, shape (n_sites,)
            V, where there is metal. Atoms that come later take the potential of the metal they
            touch.
        medium : ndarray, shape (n_sites,)
            V; on sites of metal, what the medium would have there if the atom were gone
            (`nanogap.device.surface.potentials_at_surface`): so an atom that is oxidized sees the
            field in front of it, and the ion that it becomes too.

        Raises
        ------
        SettingsError
            If a potential is not finite or does not fit the sites.
        """
        share = rate_share(self.medium)
        check_potentials(metal, medium, len(self.lattice), self._temperature, share)
        self._sites.fields[:-1, arrays.METAL_POTENTIAL] = metal
        self._sites.fields[:-1, arrays.MEDIUM_POTENTIAL] = medium
        self._fill_factors()
        entry.refresh_charged(self._sites, self._tables, self._tree, self._work)

    def set_force(self, force: FloatArray | None) -> None:
        """Choose a force on hopping atoms: the wind of the electrons.

        Parameters
        ----------
        force : ndarray, shape (n_sites, 3), or None
            eV/angstrom. Its mean over the two ends of a hop, times the hop, is work: half of it
            lowers the barrier, half of it raises the barrier back.

        Raises
        ------
        SettingsError
            If it does not fit the sites.
        """
        self._sites = self._sites._replace(force=padded_force(force, len(self.lattice)))
        self._make_tables()

    def watch(self, region: BoolArray) -> None:
        """Choose the region whose redox events `advance` can stop at, shape (n_sites,)."""
        self._sites.flags[:-1, arrays.WATCHED] = region

    def advance(
        self,
        duration: float,
        max_events: int | None = None,
        *,
        stop_on_contact: bool = True,
        redox_events: int | None = None,
    ) -> Advance:
        """Simulate.

        Parameters
        ----------
        duration : float
            s.
        max_events : int, optional
        stop_on_contact : bool
            Stop when metal comes to join the electrodes, and when they come apart.
        redox_events : int, optional
            Stop after so many oxidations and reductions in the watched region.

        Returns
        -------
        Advance

        Raises
        ------
        SettingsError
            If the duration is not zero or above.
        """
        if not (math.isfinite(duration) and duration >= 0.0):
            raise SettingsError(f"a duration of {duration:g} s cannot be: choose 0 or above")
        begin, elapsed, events = self.time, 0.0, 0
        charge = self._counts.transferred.copy()
        watched = np.iinfo(np.int64).max
        if redox_events is not None:
            watched = int(self._counts.numbers[arrays.N_WATCHED]) + redox_events
        reason = arrays.EVENTS
        while reason == arrays.EVENTS and (max_events is None or events < max_events):
            turn = self._turn if max_events is None else min(self._turn, max_events - events)
            clock = time.perf_counter()
            elapsed, done, reason = entry.run(
                self._sites,
                self._tables,
                self._tree,
                self._work,
                self._counts,
                elapsed,
                duration,
                turn,
                stop_on_contact,
                watched,
            )
            self.time = begin + elapsed
            events += done
            self._pace(done, time.perf_counter() - clock)
        return Advance(
            elapsed,
            events,
            list(Reason)[reason],
            states.charge_of(self._counts.transferred - charge),
        )

    def copy(self) -> "LatticeKMC":
        """Copy the device, with all that its future depends on."""
        other = copy.copy(self)
        other._work = states.make_work(len(self.lattice), len(self._tree.sums))  # noqa: SLF001
        for name in ("_sites", "_tree", "_counts"):
            found = getattr(self, name)
            setattr(other, name, type(found)(*(array.copy() for array in found)))
        return other

    def save(self, path: Path) -> None:
        """Write all that the future depends on, atomically and with a checksum."""
        caps = self._caps
        states.save_arrays(
            path,
            {
                "identity": np.array(self._identity),
                "time": np.array(self.time),
                "states": self._states(),
                "watched": self._sites.flags[:-1, arrays.WATCHED],
                "potentials": self._sites.fields[:, : arrays.MEDIUM_POTENTIAL + 1],
                "temperature": np.array(self._temperature) if self._field is None else self._field,
                "force": self._sites.force,
                "caps": np.array([caps.metal, caps.ion, caps.redox]),
                "events": self._counts.events,
                "transferred": self._counts.transferred,
                "numbers": self._counts.numbers,
                "random": self._counts.random,
            },
        )

    def load(self, path: Path) -> None:
        """Continue from a saved state of the same device, to the bit.

        Raises
        ------
        DataFormatError
            If the file is missing, damaged or, as an `OtherStateError`, of another device; nothing
            has changed then.
        """
        found = states.load_arrays(path)
        if str(found["identity"]) != self._identity:
            raise OtherStateError(
                f"{path}: is the state of another device: lattice, energies or medium differ"
            )
        self.time = float(found["time"])
        self._sites.grid[:-1, arrays.STATE] = found["states"]
        self._sites.flags[:-1, arrays.WATCHED] = found["watched"]
        self._sites.fields[:, : arrays.MEDIUM_POTENTIAL + 1] = found["potentials"]
        for name in ("events", "transferred", "numbers", "random"):
            getattr(self._counts, name)[:] = found[name]
        self._caps = Caps(*(float(cap) for cap in found["caps"]))
        self._sites = self._sites._replace(force=np.array(found["force"], dtype=np.float64))
        temperature = np.array(found["temperature"], dtype=np.float64)
        searches = int(found["numbers"][arrays.N_SEARCHES])
        self.set_temperature(temperature if temperature.ndim else float(temperature))
        self._counts.numbers[arrays.N_SEARCHES] = searches

    def _states(self) -> Int32Array:
        """Return the states of the sites, a view."""
        return self._sites.grid[:-1, arrays.STATE]

    def _pace(self, done: int, seconds: float) -> None:
        """Choose how many events are done before Python has its turn."""
        if done == self._turn:
            wanted = max(done * _TURN / max(seconds, 1e-6), _FIRST_TURN)
            self._turn = int(min(wanted, 2.0 * done, _LONGEST_TURN))

    def _make_tables(self) -> None:
        """Make tables, and all that rests on them, anew."""
        self._tables = states.make_tables(
            self.energies,
            self.medium,
            self._caps,
            temperature=self._temperature,
            lattice=self.lattice,
            least_barrier=self.least_barrier,
        )
        inverse = np.zeros(0)
        if self._field is not None:
            inverse = np.append(1.0 / (BOLTZMANN * self._field), 0.0)
        elif len(self._sites.force) > 0:
            inverse = np.array([1.0 / (BOLTZMANN * self._temperature)])
        self._sites = self._sites._replace(inverse_temperature=inverse)
        self._refresh()

    def _refresh(self) -> None:
        """Make all that follows from occupation, potentials and tables anew."""
        self._fill_factors()
        entry.rebuild(self._sites, self._tables, self._tree, self._work, self._counts)

    def _fill_factors(self) -> None:
        """Make the factors that the potentials give anew."""
        entry.fill_factors(self._sites, self._tables, 1.0 / (BOLTZMANN * self._temperature))
