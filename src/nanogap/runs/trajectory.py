"""A run as the figures of the paper see it."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import read_dataset
from nanogap.io.run_files import is_run_directory
from nanogap.report.paper import Trajectory
from nanogap.report.result import RunResult
from nanogap.runs.directory import RunDirectory
from nanogap.runs.results import fermi_level_transmission
from nanogap.runs.summary import planned_end
from nanogap.runs.transport_process import compute_snapshots
from nanogap.settings import parse_energies
from nanogap.transport.tight_binding.files import chosen_model, why_none

#: Energies of T(E) where the settings of a run have none: those of Fig. 3d-f, eV.
_ENERGIES = "-1:1:0.1"


def trajectory_of(
    run: RunDirectory, watch: Callable[[int, int], object] = lambda _done, _total: None
) -> Trajectory:
    """Open a run for figures.

    Parameters
    ----------
    run : RunDirectory
    watch : callable, optional
        Is told how many spectra of structures are computed, and how many there are to compute.

    Raises
    ------
    SettingsError
        If there is no snapshot yet.
    """
    result = result_of(run)
    if not len(result.time):
        raise SettingsError(f"{run.path} has no snapshot yet: wait for the first, or resume it")
    return Trajectory(
        name=run.path.absolute().name,
        result=result,
        there=np.ones(len(result.time), dtype=bool),
        read=run.frame,
        spectra=lambda numbers: spectra_of(run, numbers, watch),
        start=run.tips,
    )


def result_of(run: RunDirectory) -> RunResult:
    """Gather the results of a run without frames and spectra: T of every snapshot is read."""
    known = fermi_level_transmission(run.transmission_averages())
    values = np.array(list(known.values()), dtype=np.float64)
    transmission = xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), values[:, None])},
        coords={"snapshot": list(known), "energy": [0.0]},
    )
    return RunResult.gather(
        settings=run.settings,
        observables=run.observables(),
        transmission=transmission,
        spectra=None,
        frames=[],
        failures=run.failures(),
        planned_end=planned_end(run),
    )


def spectra_of(
    run: RunDirectory,
    numbers: Sequence[int],
    watch: Callable[[int, int], object] = lambda _done, _total: None,
) -> xr.Dataset:
    """Return T(E) of snapshots of a run: those stored with it, and the others computed.

    Parameters
    ----------
    run : RunDirectory
    numbers : sequence of int
        Of the snapshots.
    watch : callable, optional
        See `trajectory_of`.

    Returns
    -------
    xarray.Dataset
        ``transmission_average`` over (``snapshot``, ``energy``), G0, at ``spectrum_energies`` of
        the settings, or from -1 to 1 eV.

    Raises
    ------
    DataFormatError
        If there is no Hamiltonian of the element.
    """
    energies = parse_energies(run.settings.transport.spectrum_energies or _ENERGIES)
    parts: dict[int, xr.Dataset] = {}
    if run.spectra_path.is_file():
        stored = read_dataset(run.spectra_path)[["transmission_average"]]
        if stored.sizes["energy"] == len(energies) and np.allclose(stored["energy"], energies):
            parts = {int(one): stored.sel(snapshot=[one]) for one in stored["snapshot"].to_numpy()}
    missing = [one for one in numbers if one not in parts]
    choice, element = run.settings.transport.hamiltonian, run.settings.structure.element
    reason = why_none(choice, element)
    if missing and reason:
        raise DataFormatError(f"{run.path}: T(E) cannot be computed: {reason}")
    for done, snapshot in enumerate(missing):
        watch(done, len(missing))
        model = chosen_model(choice, element, run.hamiltonian)
        computed = compute_snapshots(run, [snapshot], energies, model)[["transmission_average"]]
        parts[snapshot] = computed.assign_coords(snapshot=[snapshot])
    return xr.concat(
        [parts[one].reset_coords(drop=True) for one in numbers],
        "snapshot",
        combine_attrs="override",
        join="override",
    )


def fine_sampling_of(run: RunDirectory) -> RunDirectory:
    """Find the fine sampling of a run: itself, or that of its own with the most transmissions.

    Raises
    ------
    DataFormatError
        If it has none.
    """
    if run.window is not None:
        return run
    found = []
    for path in sorted(run.files.samples.glob("*")) if run.files.samples.is_dir() else ():
        if is_run_directory(path):
            try:
                found.append(RunDirectory(path))
            except NanogapError:
                continue  # another one may be whole
    if not found:
        raise DataFormatError(
            f"{run.path} has no fine sampling, which the figure shows: 'nanogap sample {run.path} "
            "--at contact+3ps' makes one, at a time of a plateau"
        )
    return max(found, key=lambda one: len(one.files.transmissions()))
