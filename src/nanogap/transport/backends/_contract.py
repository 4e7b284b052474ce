"""The contract of a backend: two functions with their signatures, and its capabilities as data."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, get_type_hints

import xarray as xr
from ase import Atoms

from nanogap.errors import SettingsError
from nanogap.transport.cost import TransmissionCost
from nanogap.transport.tight_binding.model import TightBindingModel


class ComputeTransmission(Protocol):
    """Function of a backend that computes the transmission of junctions."""

    def __call__(
        self,
        junctions: Sequence[Atoms],
        energies: Sequence[float] = (0.0,),
        *,
        kpoints: tuple[int, int] | str = "auto",
        gamma_centred: bool = False,
        names: Sequence[str] | None = None,
    ) -> xr.Dataset:
        """Compute the ballistic transmission of junctions.

        Parameters
        ----------
        junctions : sequence of ase.Atoms
            In the junction format (`nanogap.structure.junction`).
        energies : sequence of float
            From the Fermi energy, eV.
        kpoints : tuple of int or str
            See `nanogap.transport.mesh.mesh_counts`; a backend may have another default.
        gamma_centred : bool
            Centre the mesh on Gamma; otherwise it is shifted by half a step.
        names : sequence of str, optional
            What error messages call the junctions.

        Returns
        -------
        xarray.Dataset
            As `nanogap.transport.dataset.transmission_dataset` makes it, with the attributes
            ``backend``, ``nanogap_version``, ``kpoints``, ``n_kpoints`` and ``wall_time`` (s).

        Raises
        ------
        NanogapError
            If an argument is wrong, or the backend fails; the message names it.
        """
        ...


class ComputeLocal(Protocol):
    """Function of a backend that computes local densities of states and bond currents."""

    def __call__(
        self,
        junction: Atoms,
        energy: float = 0.0,
        *,
        kpoints: tuple[int, int] | str = "auto",
        gamma_centred: bool = False,
        model: TightBindingModel | None = None,
        name: str = "junction",
    ) -> xr.Dataset:
        """Compute them for one junction; see `nanogap.transport.negf.local.compute_local`."""
        ...


class EstimateCost(Protocol):
    """Function of a backend that estimates what a transmission will take, quickly."""

    def __call__(
        self,
        junctions: Sequence[Atoms],
        energies: Sequence[float] = (0.0,),
        *,
        kpoints: tuple[int, int] | str = "auto",
        gamma_centred: bool = False,
        model: TightBindingModel | None = None,
        local: bool = False,
    ) -> TransmissionCost:
        """Estimate it; see `nanogap.transport.negf.cost.transmission_cost`."""
        ...


@dataclass(frozen=True)
class Capabilities:
    """Properties of a backend that a caller has to know.

    Attributes
    ----------
    takes_model : bool
        Whether it takes a tight-binding Hamiltonian, as the option ``model``.
    onsite_shifts : bool
        Whether it takes junctions whose levels are shifted, so that their atoms can be made
        neutral (`nanogap.transport.negf.neutrality`); otherwise it is self-consistent by itself.
    elements : tuple of str or None
        Chemical symbols of what it computes without further files; None: any.
    default_mesh : str
        The k-mesh that it takes if none is given, in words.
    energy_window : tuple of float or None
        Lowest and highest energy that it is trusted at, eV from the Fermi energy; None: any.
    programs : tuple of str
        What must be installed beside nanogap.
    """

    takes_model: bool
    onsite_shifts: bool
    elements: tuple[str, ...] | None = None
    default_mesh: str = "auto"
    energy_window: tuple[float, float] | None = None
    programs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """An argument that a backend takes beyond those of all.

    Attributes
    ----------
    name : str
    type : object
        As it is annotated.
    default : object
    """

    name: str
    type: object
    default: object


@dataclass(frozen=True)
class Backend:
    """A backend of the transmission.

    Attributes
    ----------
    compute_transmission : callable
        See `ComputeTransmission`; what it takes beyond that has defaults.
    capabilities : Capabilities
    compute_local : callable or None
        See `ComputeLocal`; None: it knows no local densities and bond currents.
    estimate : callable or None
        See `EstimateCost`; None: it estimates nothing, or tells by itself.
    name : str
        That of its file; `nanogap.transport.backends.get_backend` sets it.
    """

    compute_transmission: ComputeTransmission
    capabilities: Capabilities
    compute_local: ComputeLocal | None = None
    estimate: EstimateCost | None = None
    name: str = ""

    @property
    def options(self) -> dict[str, Option]:
        """Arguments of this backend beyond those of all, by name, from its signature."""
        function: Any = self.compute_transmission
        types = get_type_hints(function)
        return {
            name: Option(name, types[name], parameter.default)
            for name, parameter in inspect.signature(function).parameters.items()
            if name not in _COMMON
        }

    def with_options(self, **options: Any) -> ComputeTransmission:
        """Bind arguments of this backend, so that what is left has the signature of all.

        Parameters
        ----------
        **options
            By name, see `options`.

        Returns
        -------
        callable
            See `ComputeTransmission`.

        Raises
        ------
        SettingsError
            If the backend takes no such argument.
        """
        unknown = sorted(options.keys() - self.options.keys() - _COMMON.keys())
        if unknown:
            known = ", ".join(self.options)
            raise SettingsError(
                f"{unknown[0]}: backend {self.name!r} has no such argument; it takes {known}"
            )
        bound: ComputeTransmission = partial(self.compute_transmission, **options)
        return bound


#: Arguments of every backend.
_COMMON = inspect.signature(ComputeTransmission.__call__).parameters
