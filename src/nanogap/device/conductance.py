"""The conductance of a device at a moment: the transmission of its neck, computed once for each.

The neck is cut from the lattice (`nanogap.device.neck`; strands too far apart for one cell are
necks side by side), relaxed if that is asked for, and goes through the tight-binding Green's
functions of the program; its value is kept by the canonical form of its occupation. It is the
transmission at the Fermi energy, or I(V)/V at a voltage, from T(E) at steps of the energy
(`nanogap.transport.current.CurrentVoltage` without temperature). A gap wider than those functions
resolve is computed with whole periods of its empty layers left out, and T falls as exp(-2 kappa d)
over what was left out, kappa that of the Hamiltonian's own vacuum tail (Simmons, J. Appl. Phys. 34,
1793 (1963), doi:10.1063/1.1702682).
"""

import inspect
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanogap.device import neck as necks
from nanogap.device import relaxation, strands
from nanogap.device.lattice import Lattice
from nanogap.device.neck import Neck, NeckCut, cut_necks, neck_junction
from nanogap.device.neck_store import NeckStore, StoredTransmission
from nanogap.digest import content_digest, source_digest
from nanogap.dynamics import embedded_functions
from nanogap.dynamics.embedded_atom import load_embedded_atom
from nanogap.errors import SettingsError
from nanogap.printing import listed
from nanogap.settings import cache_folder
from nanogap.structure.tips import layer_spacing
from nanogap.transport.current import CurrentVoltage
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.tight_binding.files import load_model, packaged_elements
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.typing import BoolArray
from nanogap.units import CONDUCTANCE_QUANTUM

#: Steps of the energy at which T(E) is computed, eV; errors in docs/device-conductance.md.
ENERGY_STEP = 0.1
#: Steps from the Fermi energy at most: so far the Hamiltonian is fitted (1.5 eV). Beyond, T(E) is
#: held.
_MOST_STEPS = 15
#: Necks whose transmissions are known without their canonical form, at most.
_MOST_RAW = 10_000
#: Below this voltage the curve is its tangent, V.
_LEAST_VOLTAGE = 1e-6


@dataclass(frozen=True)
class MomentaryConductance:
    """Conductance of a gap at a moment.

    Attributes
    ----------
    value : float
        G0; transmission at the Fermi energy, or I/V at the voltage.
    bridged : bool
        Whether metal leads from electrode to electrode.
    continued : bool
        Whether T was continued: over empty layers that the Green's functions do not resolve, or
        beyond the energies for which the Hamiltonian is fitted.
    atoms_cut_off : int
        Atoms of the constriction that the widest cell does not hold.
    converged : bool
        Whether the relaxation of the atoms, if there was one, came to its end.
    """

    value: float
    bridged: bool
    continued: bool
    atoms_cut_off: int
    converged: bool = True


@dataclass
class NeckCount:
    """Count of conductances that were known, and the time of the others.

    Attributes
    ----------
    asked, known, computed : int
    unconverged : int
        Those asked for whose neck was not relaxed to the end.
    seconds : float
        CPU time of the computed ones, s.
    """

    asked: int = 0
    known: int = 0
    computed: int = 0
    unconverged: int = 0
    seconds: float = 0.0


def device_model(element: str) -> TightBindingModel:
    """Load the Hamiltonian of a device's metal.

    Raises
    ------
    SettingsError
        If none of the element is packaged: the current through a device follows from it.
    """
    if element not in packaged_elements():
        raise SettingsError(
            f"geometry.element = {element!r}: a device follows its conductance, and nanogap has no "
            f"tight-binding Hamiltonian of {element}: choose {listed(packaged_elements())}, or add "
            "one (docs/your-own-metal.md)"
        )
    return load_model(element)


class NeckConductance:
    """Conductance of necks of one metal.

    Parameters
    ----------
    element : str
        Chemical symbol.
    lattice_constant : float
        Angstrom.
    cut : NeckCut, optional
    kpoints : tuple of int
        In-plane mesh of the narrowest cell of the cut, shifted off the zone centre; wider cells
        have fewer points (`mesh`).
    relaxation_steps : int
        Steps of relaxation of the neck at most (`nanogap.device.relaxation`); 0: atoms on sites.
    curve : {'linear', 'transmission'}
        Whether the voltage counts.
    store : Path or None or 'cache'
        File of transmissions; ``cache``: one in the user's cache folder; None: memory only.

    Raises
    ------
    SettingsError
        If no Hamiltonian of the element with a vacuum tail is packaged, or the file of
        transmissions is something else.

    Examples
    --------
    >>> from nanogap.device.conductance import NeckConductance
    >>> NeckConductance("Ag", 4.09, store=None).decay > 1.0
    True
    """

    def __init__(
        self,
        element: str,
        lattice_constant: float,
        cut: NeckCut | None = None,
        *,
        kpoints: tuple[int, int] = (3, 3),
        relaxation_steps: int = 0,
        curve: Literal["linear", "transmission"] = "linear",
        store: Path | str | None = "cache",
    ) -> None:
        self.element, self.lattice_constant = element, float(lattice_constant)
        self.cut, self.kpoints = cut or NeckCut(), kpoints
        self.relaxation_steps, self.curve = relaxation_steps, curve
        self.model: TightBindingModel = device_model(element)
        vacuum = self.model.vacuum
        if vacuum is None:
            raise SettingsError(
                f"the Hamiltonian of {element} has no vacuum tail, so an open gap would have no "
                "conductance: fit one to transmissions (docs/your-own-metal.md), or "
                f"choose another of {listed(packaged_elements())}"
            )
        #: Decay of amplitudes in vacuum, 1/angstrom.
        self.decay = vacuum.decay
        digest = self._digest()
        # a file that the user names may hold conductances of other settings
        self._prefix = bytes.fromhex(digest[:32])
        usual = store == "cache"
        if usual:
            store = cache_folder() / f"necks-{digest[:24]}.sqlite"
        self.store = NeckStore(None if store is None else Path(store), optional=usual)
        self.count = NeckCount()
        self._raw: dict[bytes, dict[int, StoredTransmission]] = {}

    def mesh(self, width: int) -> tuple[int, int]:
        """Return the mesh of a cell: points times width are about those of the narrowest cell.

        Parameters
        ----------
        width : int
            Edge of the cell, bonds.
        """
        share = self.cut.widths[0] / width
        first, second = (max(1, math.floor(share * count + 0.5)) for count in self.kpoints)
        return first, second

    def of_lattice(
        self,
        lattice: Lattice,
        labels: NDArray[np.uint8],
        movable: tuple[int, int],
        voltage: float = 0.0,
        carrying: BoolArray | None = None,
    ) -> MomentaryConductance:
        """Return the conductance of the atoms on a lattice.

        Parameters
        ----------
        lattice : Lattice
        labels : ndarray of uint8, shape (n_sites,)
            As `nanogap.device.neck.cut_necks` takes them.
        movable : tuple of int
            First and last layer that is no fixed base.
        voltage : float
            Across the gap, V; it counts if the curve is that of the transmission.
        carrying : ndarray of bool, shape (n_sites,), optional
            As `nanogap.device.neck.cut_necks` takes it.

        Returns
        -------
        MomentaryConductance

        Raises
        ------
        StructureError
            If an electrode has no atom.
        """
        return self.momentary(cut_necks(lattice, labels, movable, self.cut, carrying), voltage)

    def momentary(self, cells: Sequence[Neck], voltage: float = 0.0) -> MomentaryConductance:
        """Return the conductance of a gap whose necks are cut already, at a voltage, V.

        Several necks are strands side by side, and their conductances add.
        """
        value, continued, converged = 0.0, False, True
        for neck in cells:
            missing = neck.layers_left_out * layer_spacing(self.lattice_constant)
            spectrum = self._spectrum(neck, self._steps(voltage))
            value += self._chord(spectrum, voltage) * math.exp(-2.0 * self.decay * missing)
            beyond = len(spectrum) > 1 and abs(voltage) / 2.0 > _MOST_STEPS * ENERGY_STEP
            continued |= missing > 0.0 or beyond
            converged &= all(one.converged for one in spectrum.values())
        self.count.unconverged += not converged
        cut_off = sum(neck.atoms_cut_off for neck in cells)
        return MomentaryConductance(value, cells[0].bridged, continued, cut_off, converged)

    def of_neck(self, neck: Neck, voltage: float = 0.0) -> float:
        """Return the conductance of a neck at a voltage, without the layers left out, G0."""
        return self._chord(self._spectrum(neck, self._steps(voltage)), voltage)

    def _steps(self, voltage: float) -> list[int]:
        """Energies of the bias window, in steps from the Fermi energy, which comes first."""
        if self.curve == "linear" or abs(voltage) < _LEAST_VOLTAGE:
            return [0]
        reach = min(math.ceil(abs(voltage) / 2.0 / ENERGY_STEP - 1e-9), _MOST_STEPS)
        return [0, *(sign * step for step in range(1, reach + 1) for sign in (-1, 1))]

    def _chord(self, spectrum: dict[int, StoredTransmission], voltage: float) -> float:
        """Return I(V)/V, the energies beyond the spectrum as at its ends, G0."""
        if len(spectrum) == 1:
            return spectrum[0].value
        steps = sorted(spectrum)
        energies = ENERGY_STEP * np.array(steps, dtype=np.float64)
        values = np.array([spectrum[step].value for step in steps])
        half = abs(voltage) / 2.0
        if half > energies[-1]:
            energies = np.concatenate([[-half], energies, [half]])
            values = np.concatenate([values[:1], values, values[-1:]])
        dataset = xr.Dataset(
            {"transmission_average": (("snapshot", "energy"), values[None])},
            coords={"energy": energies},
        )
        current = CurrentVoltage([voltage], temperature=0.0).compute(dataset).current[0, 0]
        return float(current / (CONDUCTANCE_QUANTUM * voltage))

    def _spectrum(self, neck: Neck, steps: Sequence[int]) -> dict[int, StoredTransmission]:
        """Return T at energies in steps from the Fermi energy; what is not known is computed."""
        self.count.asked += 1
        raw = bytes(neck.occupied.shape) + neck.occupied.tobytes()
        known = self._raw.pop(raw, {})
        self._raw[raw] = known  # the latest comes last
        if len(self._raw) > _MOST_RAW:
            del self._raw[next(iter(self._raw))]
        wanted = [step for step in steps if step not in known]
        if wanted:
            key = self._prefix + bytes(self.mesh(neck.occupied.shape[1])) + neck.key
            keys = {step: key + step.to_bytes(2, "big", signed=True) for step in wanted}
            for step in wanted:
                if (found := self.store.get(keys[step])) is not None:
                    known[step] = found
            wanted = [step for step in wanted if step not in known]
        if not wanted:
            self.count.known += 1
            return {step: known[step] for step in steps}
        # which of the equivalent forms came first must not decide over the last bits
        for step, one in zip(wanted, self._compute(neck.canonical, wanted), strict=True):
            known[step] = one
            self.store.put(keys[step], one)
        return {step: known[step] for step in steps}

    def _compute(self, neck: Neck, steps: Sequence[int]) -> list[StoredTransmission]:
        """Compute the transmission at energies in steps from the Fermi energy."""
        started = time.process_time()
        junction = neck_junction(neck, self.lattice_constant, self.element)
        converged = True
        if self.relaxation_steps:
            relaxed = relaxation.relax_neck(
                junction,
                self.lattice_constant,
                embedded_functions.load_functions(self.element),
                self.relaxation_steps,
            )
            junction, converged = relaxed.junction, relaxed.converged
        energies = [ENERGY_STEP * step for step in steps]
        mesh = self.mesh(neck.occupied.shape[1])
        result = compute_transmission([junction], energies, kpoints=mesh, model=self.model)
        self.count.computed += 1
        self.count.seconds += time.process_time() - started
        values = result["transmission_average"].values[0]
        return [StoredTransmission(float(value), converged) for value in values]

    def _digest(self) -> str:
        """Hash what decides a transmission besides the neck and the energy."""
        relaxed: tuple[object, ...] = ()
        if self.relaxation_steps:
            relaxed = (
                self.relaxation_steps,
                load_embedded_atom(self.element).table,
                inspect.getsource(relaxation),
                inspect.getsource(embedded_functions),
            )
        return content_digest(
            self.model,
            self.lattice_constant,
            ENERGY_STEP,
            relaxed,
            inspect.getsource(necks),
            inspect.getsource(strands),
            source_digest("nanogap.transport.tight_binding", "nanogap.transport.negf"),
        )
