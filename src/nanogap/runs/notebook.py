"""Runs for notebooks and scripts: start one, go on with one, look into one."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms
from ase.constraints import FixAtoms

from nanogap.arguments import checked
from nanogap.errors import DataFormatError
from nanogap.io import read_dataset
from nanogap.printing import Printed, Rows
from nanogap.runs.directory import RunDirectory
from nanogap.runs.driver import Progress, resume_run, start_run
from nanogap.runs.results import fermi_level_transmission, with_moments
from nanogap.runs.summary import RunStatus, make_report, status, status_rows
from nanogap.settings import Settings, SettingsSource, load_settings
from nanogap.structure.tips import MOBILE


class Run(Printed):
    """A run, finished or not: every question is answered from what is on disk at that moment.

    Parameters
    ----------
    directory : str, Path or RunDirectory
        The folder, or what stands for it.

    Attributes
    ----------
    directory : RunDirectory
        Files, checkpoints and records, for those who need them.

    Examples
    --------
    >>> from nanogap.runs import open_run
    >>> run = open_run("demo")                          # doctest: +SKIP
    >>> run                                             # doctest: +SKIP
    Run 'demo'
      state         finished
      snapshots     61 of 61, 0 to 3 ps under voltage
      connected     13 of 61 snapshots
      transmission  of 61 snapshots: last 1.02, largest 1.31 G0
      report        demo/report.html
      next          .conductance, .observables(), .transmission(), .frame(n), .spectra()
    >>> run.conductance.plot(x="time")                  # doctest: +SKIP
    >>> run.frame(-1).get_kinetic_energy()              # doctest: +SKIP
    72.9
    """

    @checked
    def __init__(self, directory: RunDirectory | str | Path) -> None:
        if not isinstance(directory, RunDirectory):
            directory = RunDirectory(directory)
        self.directory = directory

    def _title(self) -> str:
        return f"Run {str(self.path)!r}"

    def _rows(self) -> Rows:
        found = self.status
        yield from status_rows(found)
        if found.state in {"finished", "running"}:
            yield "next", ".conductance, .observables(), .transmission(), .frame(n), .spectra()"
        else:
            yield "next", f"nanogap.resume({str(self.path)!r})"

    def __len__(self) -> int:
        """Count the snapshots."""
        return len(self.directory.records())

    @property
    def path(self) -> Path:
        """The folder."""
        return self.directory.path

    @property
    def settings(self) -> Settings:
        """Settings that the run was started with."""
        return self.directory.settings

    @property
    def status(self) -> RunStatus:
        """State, number of snapshots, and the transmission of each, as the command ``status``."""
        return status(self.directory)

    def observables(self) -> xr.Dataset:
        """Return the scalars of all snapshots, over ``snapshot``: `nanogap.observables`."""
        return self.directory.observables()

    def transmission(self) -> xr.Dataset:
        """Return the transmissions computed so far.

        Returns
        -------
        xarray.Dataset
            `nanogap.transport.negf.compute.compute_transmission` over ``snapshot``, with the
            coordinates ``time`` (fs), ``stage`` and ``connected``.

        Raises
        ------
        DataFormatError
            If no snapshot has a transmission.
        """
        dataset = self.directory.transmission()
        if dataset is None:
            reasons = "; ".join(dict.fromkeys(self.directory.failures().values()))
            raise DataFormatError(
                f"{self.path}: no snapshot has a transmission" + (f": {reasons}" if reasons else "")
            )
        return dataset

    def spectra(self) -> xr.Dataset:
        """Return T(E) before, at and after the first contact.

        Raises
        ------
        DataFormatError
            If they have not been computed.
        """
        return read_dataset(self.directory.spectra_path)

    @property
    def conductance(self) -> xr.DataArray:
        """Conductance of every snapshot, G0, over ``snapshot``; NaN where it is not known.

        That is the transmission at the Fermi energy; with the coordinates ``time`` (fs), ``stage``
        and ``connected``.
        """
        observables = self.observables()
        known = fermi_level_transmission(self.directory.transmission_averages())
        numbers = observables["snapshot"].to_numpy()
        values = np.array([known.get(int(number), math.nan) for number in numbers])
        trace = xr.Dataset(
            {"conductance": ("snapshot", values, {"units": "G0", "long_name": "conductance"})},
            coords={"snapshot": numbers},
        )
        return with_moments(trace, observables)["conductance"]

    @checked
    def frame(self, snapshot: int) -> Atoms:
        """Read the atoms of a snapshot.

        Parameters
        ----------
        snapshot : int
            Its number; negative ones count from the last.

        Returns
        -------
        ase.Atoms
            With charges by ``get_charges()`` (e), energies by ``get_potential_energy()`` and
            ``get_kinetic_energy()`` (eV), the array ``electrode``, and its observables in ``info``.
            The bases are fixed by a constraint, so that ``get_temperature()`` is that of the
            atoms that move.

        Raises
        ------
        DataFormatError
            If there is no such snapshot, or the trajectory is damaged.
        """
        return _with_fixed_bases(self.directory.frame(snapshot))

    def frames(self) -> Iterator[Atoms]:
        """Read the atoms of all snapshots, one after the other; see `frame`."""
        for record in self.directory.records():
            yield _with_fixed_bases(self.directory.trajectory.frame(record))

    @property
    def report(self) -> Path | None:
        """The HTML report, once there is one; `write_report` writes it anew."""
        return self.directory.report if self.directory.report.is_file() else None

    def write_report(self) -> Path:
        """Write the report and ``transmission.nc`` of what there is so far.

        Raises
        ------
        DataFormatError
            If there is no snapshot yet.
        """
        if not len(self):
            raise DataFormatError(f"{self.path} has no snapshot yet: wait for the first")
        make_report(self.directory)
        return self.directory.report


def _with_fixed_bases(frame: Atoms) -> Atoms:
    """Tell ASE which atoms do not move: a trajectory holds no constraints."""
    frame.set_constraint(FixAtoms(mask=frame.arrays["electrode"] != MOBILE))
    return frame


@checked
def open_run(path: str | Path) -> Run:
    """Open a run directory, finished or not.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    DataFormatError
        If there is no run.

    Examples
    --------
    >>> open_run("nowhere")
    Traceback (most recent call last):
    ...
    nanogap.errors.DataFormatError: no run directory nowhere: 'nanogap run' makes one
    """
    return Run(path)


@checked
def run(
    source: SettingsSource,
    directory: str | Path,
    *,
    progress: Callable[[Progress], object] | None = None,
) -> Run:
    """Start a run and see it through, as the command ``nanogap run`` does.

    Dynamics and transport are processes of their own, which end with this one; an interrupted run
    goes on with `resume`.

    Parameters
    ----------
    source : str, Path, mapping or Settings
        The name of a preset, a settings file, a table of what differs from the defaults, or
        settings; see `nanogap.settings.load_settings`.
    directory : str or Path
        The run directory, new or empty.
    progress : callable, optional
        Called with a `Progress` several times a second.

    Raises
    ------
    NanogapError
        If the settings are wrong, or the run cannot be started or fails; a run that cannot be
        started leaves nothing behind.

    Examples
    --------
    >>> from nanogap.settings import load_settings
    >>> settings = load_settings("quick", {"voltage.applied": 4.0})
    >>> finished = run(settings, "demo")                # doctest: +SKIP
    >>> finished.report                                 # doctest: +SKIP
    PosixPath('demo/report.html')
    """
    settings = load_settings(source)
    name = str(source) if isinstance(source, str | Path) else "settings in Python"
    return Run(start_run(Path(directory), settings, name, progress or _ignore))


@checked
def resume(directory: str | Path, *, progress: Callable[[Progress], object] | None = None) -> Run:
    """Go on with an interrupted or failed run, as the command ``nanogap resume`` does.

    Parameters
    ----------
    directory : str or Path
    progress : callable, optional
        Called with a `Progress` several times a second.

    Raises
    ------
    NanogapError
        If there is no run, another process works in it, or it fails.

    Examples
    --------
    >>> resume("demo").status.state                     # doctest: +SKIP
    'finished'
    """
    return Run(resume_run(Path(directory), progress or _ignore))


def _ignore(_: Progress) -> None:
    """Watch nothing."""
