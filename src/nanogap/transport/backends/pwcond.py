"""The transmission of junctions by Quantum ESPRESSO and PWCOND, restartable.

Ballistic conductance with ultrasoft pseudopotentials: Smogunov, Dal Corso & Tosatti, Phys. Rev. B
70, 045417 (2004), doi:10.1103/PhysRevB.70.045417.
"""

import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms

from nanogap.errors import EngineError, SettingsError
from nanogap.settings import FirstPrinciplesSettings, load_accuracy
from nanogap.structure.junction import validate_junction, without_faded
from nanogap.transport.backends._contract import Backend, Capabilities
from nanogap.transport.dataset import transmission_dataset
from nanogap.transport.espresso.pwcond_job import PwcondJob
from nanogap.transport.espresso.pwcond_output import ENERGY_WINDOW
from nanogap.transport.mesh import common_mesh

#: Settings that no number depends on, or that the dataset names by itself.
_NO_ACCURACY = {"kpoints", "gamma_centred", "programs", "processes", "keep_states"}
#: Elements whose metals or atoms are often magnetic, which a calculation without spin leaves out.
_MAGNETIC = frozenset({"Cr", "Mn", "Fe", "Co", "Ni", "Gd", "O"})
#: Accuracy if none is given.
_ACCURACY = "validation"


def compute_transmission(
    junctions: Sequence[Atoms],
    energies: Sequence[float] = (0.0,),
    *,
    kpoints: tuple[int, int] | str | None = None,
    gamma_centred: bool = False,
    settings: FirstPrinciplesSettings | None = None,
    work: Path = Path("pwcond"),
    names: Sequence[str] | None = None,
    watch: Callable[[str], None] = lambda _: None,
    confirm: Callable[[float], bool] = lambda _: True,
) -> xr.Dataset:
    """Compute the ballistic transmission of junctions with pw.x and pwcond.x, without spin.

    What is finished is kept in the work folder, one folder per junction and accuracy: the same call
    goes on where an interrupted one stopped.

    Parameters
    ----------
    junctions : sequence of ase.Atoms
        In the junction format; both leads of one crystal, in register. Of any elements that the
        settings have a pseudopotential for.
    energies : sequence of float
        From the Fermi energy, eV, within `ENERGY_WINDOW`.
    kpoints : tuple of int or str, optional
        See `nanogap.transport.mesh.mesh_counts`; default: those of the settings.
    gamma_centred : bool
        Centre the mesh on Gamma, whatever the settings say.
    settings : FirstPrinciplesSettings, optional
        The accuracy; default: the packaged one for validation.
    work : Path
        Made if missing.
    names : sequence of str, optional
        What messages call the junctions.
    watch : callable, optional
        Is told what is being done.
    confirm : callable, optional
        Is given the estimated time of all that is not there yet, s, if that is more than nothing;
        the work begins if it returns True.

    Returns
    -------
    xarray.Dataset
        As `nanogap.transport.dataset.transmission_dataset` makes it, and ``state`` over
        (``snapshot``, ``k``, ``energy``): ``ok``, ``no open channel``, or why a value is not a
        number (`nanogap.transport.espresso.pwcond_output.Point`); over ``snapshot`` the cut-offs
        that were taken, ``wave_cutoff`` and ``density_cutoff`` (Ry), and ``wall_time`` (s).

    Raises
    ------
    SettingsError
        If there is no junction or energy, an energy is outside the window, or no such mesh.
    StructureError
        If a junction is malformed, or its leads do not suit PWCOND.
    DataFormatError
        If there is no usable pseudopotential.
    EngineError
        If a program is missing, stops, is killed or does not converge, or if `confirm` says no.
    """
    started = time.perf_counter()
    if not len(junctions) or not len(energies):
        raise SettingsError("transmission needs a junction and an energy")
    low, high = ENERGY_WINDOW
    outside = [energy for energy in energies if not low <= energy <= high]
    if outside:
        raise SettingsError(
            f"energy {outside[0]:g} eV: PWCOND is trusted from {low:g} to {high:g} eV only"
        )
    settings = settings or load_accuracy(_ACCURACY)
    along_shortest = kpoints is None
    if kpoints is None:
        kpoints, gamma_centred = settings.kpoints, gamma_centred or settings.gamma_centred
    names = names or [f"junction {number}" for number in range(len(junctions))]
    mesh = common_mesh(
        junctions, kpoints, gamma_centred=gamma_centred, along_shortest=along_shortest
    )
    values = np.asarray(energies, dtype=np.float64)
    for junction, name in zip(junctions, names, strict=True):
        validate_junction(junction, name)
    jobs = [
        PwcondJob(without_faded(junction), settings, work, name)
        for junction, name in zip(junctions, names, strict=True)
    ]
    expected = sum(job.estimate(mesh, values) for job in jobs)
    if expected and not confirm(expected):
        raise EngineError("the first-principles calculation was not begun")
    results = [job.run(mesh, values, watch) for job in jobs]
    dataset = transmission_dataset([part for part, _ in results], mesh, values)
    dataset["state"] = (("snapshot", "k", "energy"), np.array([states for _, states in results]))
    for name in ("wave_cutoff", "density_cutoff"):
        taken = np.array([getattr(job.plane_wave, name) for job in jobs])
        dataset[name] = ("snapshot", taken, {"units": "Ry"})
    dataset["wall_time"] = ("snapshot", np.array([job.wall_time for job in jobs]), {"units": "s"})
    return dataset.assign_attrs(
        backend="pwcond",
        nanogap_version=version("nanogap"),
        engine_version=f"Quantum ESPRESSO {jobs[0].engine_version}",
        kpoints=mesh.description,
        n_kpoints=len(mesh.points),
        accuracy=_taken(settings, jobs).model_dump_json(
            exclude=_NO_ACCURACY | (set() if settings.pseudopotentials else {"pseudopotentials"})
        ),
        spin="unpolarised",
        **_spin_note(junctions),
        wall_time=time.perf_counter() - started,
    )


def _taken(settings: FirstPrinciplesSettings, jobs: Sequence[PwcondJob]) -> FirstPrinciplesSettings:
    """Return the settings with the cut-offs and the window of all junctions, if they are alike."""
    cutoffs = {
        (job.plane_wave.wave_cutoff, job.plane_wave.density_cutoff, job.window) for job in jobs
    }
    if len(cutoffs) > 1:
        return settings  # by element; the dataset has them for every junction
    wave, density, window = cutoffs.pop()
    taken = {"wave_cutoff": wave, "density_cutoff": density, "window": window}
    return settings.model_copy(update=taken)


def _spin_note(junctions: Sequence[Atoms]) -> dict[str, str]:
    """Say what the calculation leaves out where spin may matter, as an attribute."""
    found = sorted({symbol for junction in junctions for symbol in junction.symbols} & _MAGNETIC)
    if not found:
        return {}
    return {"notes": f"PWCOND computes without spin: {', '.join(found)} may be magnetic"}


BACKEND = Backend(
    compute_transmission,
    Capabilities(
        takes_model=False,
        onsite_shifts=False,
        default_mesh="that of the accuracy",
        energy_window=ENERGY_WINDOW,
        programs=("pw.x", "pwcond.x", "ld1.x"),
    ),
)
