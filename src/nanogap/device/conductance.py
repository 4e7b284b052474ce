"""The conductance of a device at a moment: the transmission of its neck, computed once for each.

The neck is cut from the lattice (`nanogap.device.neck`) and goes through the tight-binding
Green's functions of the program; its value is kept by the canonical form of its occupation. A gap
wider than those functions resolve is computed with whole periods of its empty layers left out,
and T falls as exp(-2 kappa d) over what was left out, kappa that of the Hamiltonian's own vacuum
tail (Simmons, J. Appl. Phys. 34, 1793 (1963), doi:10.1063/1.1702682).
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanogap.device.lattice import Lattice
from nanogap.device.neck import Neck, NeckCut, cut_neck, neck_junction
from nanogap.device.neck_store import NeckStore
from nanogap.digest import content_digest, source_digest
from nanogap.errors import SettingsError
from nanogap.settings import cache_folder
from nanogap.structure.tips import layer_spacing
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.model import TightBindingModel


@dataclass(frozen=True)
class MomentaryConductance:
    """Conductance of a gap at a moment.

    Attributes
    ----------
    value : float
        G0; transmission at the Fermi energy.
    bridged : bool
        Whether metal leads from electrode to electrode.
    continued : bool
        Whether T was continued over empty layers that the Green's functions do not resolve.
    atoms_cut_off : int
        Atoms of the constriction that the widest cell does not hold.
    """

    value: float
    bridged: bool
    continued: bool
    atoms_cut_off: int


@dataclass
class NeckCount:
    """Count of conductances that were known, and the time of the others.

    Attributes
    ----------
    asked, known, computed : int
    seconds : float
        CPU time of the computed ones, s.
    """

    asked: int = 0
    known: int = 0
    computed: int = 0
    seconds: float = 0.0


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
        In-plane mesh, shifted off the zone centre.
    store : Path or None or 'cache'
        File of transmissions; ``cache``: one in the user's cache folder; None: memory only.

    Raises
    ------
    SettingsError
        If no Hamiltonian of the element with a vacuum tail is packaged.

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
        store: Path | str | None = "cache",
    ) -> None:
        self.element, self.lattice_constant = element, float(lattice_constant)
        self.cut, self.kpoints = cut or NeckCut(), kpoints
        self.model: TightBindingModel = load_model(element)
        vacuum = self.model.vacuum
        if vacuum is None:
            raise SettingsError(
                f"the Hamiltonian of {element} has no vacuum tail, so an open gap would have no "
                "conductance: fit one (nanogap fit-hamiltonian --vacuum), or choose Ag"
            )
        #: Decay of amplitudes in vacuum, 1/angstrom.
        self.decay = vacuum.decay
        if store == "cache":
            store = cache_folder() / f"necks-{self._digest()[:24]}.sqlite"
        self.store = NeckStore(None if store is None else Path(store))
        self.count = NeckCount()
        self._last: tuple[bytes, float] | None = None

    def of_lattice(
        self, lattice: Lattice, labels: NDArray[np.uint8], movable: tuple[int, int]
    ) -> MomentaryConductance:
        """Return the conductance of the atoms on a lattice.

        Parameters
        ----------
        lattice : Lattice
        labels : ndarray of uint8, shape (n_sites,)
            As `nanogap.device.neck.cut_neck` takes them.
        movable : tuple of int
            First and last layer that is no fixed base.

        Returns
        -------
        MomentaryConductance

        Raises
        ------
        StructureError
            If an electrode has no atom.
        """
        neck = cut_neck(lattice, labels, movable, self.cut)
        missing = neck.layers_left_out * layer_spacing(self.lattice_constant)
        value = self.of_neck(neck) * math.exp(-2.0 * self.decay * missing)
        return MomentaryConductance(value, neck.bridged, missing > 0.0, neck.atoms_cut_off)

    def of_neck(self, neck: Neck) -> float:
        """Return the transmission of a neck at the Fermi energy, without the layers left out."""
        self.count.asked += 1
        raw = neck.occupied.tobytes()
        if self._last is not None and self._last[0] == raw:
            self.count.known += 1
            return self._last[1]
        key = neck.key
        value = self.store.get(key)
        if value is None:
            # which of the equivalent forms came first must not decide over the last bits
            value = self._compute(neck.canonical)
            self.store.put(key, value)
        else:
            self.count.known += 1
        self._last = raw, value
        return value

    def _compute(self, neck: Neck) -> float:
        """Compute the transmission at the Fermi energy."""
        started = time.process_time()
        junction = neck_junction(neck, self.lattice_constant, self.element)
        result = compute_transmission([junction], kpoints=self.kpoints, model=self.model)
        self.count.computed += 1
        self.count.seconds += time.process_time() - started
        return float(result["transmission_average"].values[0, 0])

    def _digest(self) -> str:
        """Hash what decides a transmission besides the neck."""
        return content_digest(
            self.model,
            self.lattice_constant,
            self.kpoints,
            source_digest("nanogap.transport.tight_binding", "nanogap.transport.negf"),
        )
