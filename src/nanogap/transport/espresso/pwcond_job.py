"""The calculation of one junction with pw.x and pwcond.x, kept in a folder, restartable."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanogap.errors import EngineError, StructureError
from nanogap.io import copy_atomically, write_atomically, write_json
from nanogap.settings import FirstPrinciplesSettings
from nanogap.transport.dataset import JunctionTransmission
from nanogap.transport.espresso.programs import Programs, run_program
from nanogap.transport.espresso.pseudopotential import find_pseudopotentials
from nanogap.transport.espresso.pw import (
    STATE,
    PlaneWaveResult,
    PlaneWaveSettings,
    pw_input,
    self_consistent,
)
from nanogap.transport.espresso.pwcond_cells import ScatteringCells, scattering_cells
from nanogap.transport.espresso.pwcond_cost import JobSize
from nanogap.transport.espresso.pwcond_output import (
    Point,
    check_boundaries,
    check_grids,
    parse_points,
    pwcond_input,
)
from nanogap.transport.espresso.pwcond_points import SAME, PointStore
from nanogap.transport.mesh import PlaneMesh, reduced_mesh
from nanogap.typing import FloatArray

Watch = Callable[[str], None]

#: Wave vectors of one pwcond.x run: so many as keep the start-up a small part, and a kill cheap.
_ATOMS_PER_RUN = 24
_PSEUDOPOTENTIAL = "pseudopotential.UPF"


@dataclass(frozen=True)
class _JobFacts:
    """State of a job that is not in its points, ``job.json`` in its folder.

    Fermi energies of both cells (eV, each on its own calculation's scale), version of Quantum
    ESPRESSO, and the time that the programs took, s.
    """

    fermi_energy: float
    fermi_energy_scattering: float
    version: str
    self_consistent_time: float
    wall_time: float
    pwcond_time: float = 0.0


class PwcondJob:
    """The calculation of one junction, in a folder that is named by all that decides its result.

    Parameters
    ----------
    junction : ase.Atoms
    settings : FirstPrinciplesSettings
    work : Path
        The job's folder is made in it.
    name : str
        What messages call the junction.

    Attributes
    ----------
    name : str
    cells : ScatteringCells
        The two periodic cells of the calculation.
    pseudopotentials : dict of Pseudopotential
        By chemical symbol, one for every element of the junction.
    plane_wave : PlaneWaveSettings
        Accuracy of pw.x.
    window : float
        ``ewind`` of pwcond.x, Ry: that of the settings, or the largest that an element needs.
    folder, lead_folder : Path
        Folders of the scattering region and of the lead; jobs with the same lead share the latter.
    wall_time : float
        Time that the programs took, all runs together, s; 0 before `run`.
    engine_version : str
        Version of Quantum ESPRESSO; empty before `run`.

    Raises
    ------
    StructureError
        If the junction's leads do not suit PWCOND.
    DataFormatError
        If there is no usable pseudopotential.
    EngineError
        If ld1.x is missing or fails.
    """

    def __init__(
        self, junction: Atoms, settings: FirstPrinciplesSettings, work: Path, name: str = "junction"
    ) -> None:
        try:
            self.cells: ScatteringCells = scattering_cells(
                junction, settings.planes, settings.vacuum
            )
        except StructureError as error:
            raise StructureError(f"{name}: {error}") from None
        self.name = name
        self._settings = settings
        self._programs = Programs(settings.programs, settings.processes)
        self.pseudopotentials = find_pseudopotentials(
            {*self.cells.lead.symbols, *self.cells.scattering.symbols},
            self._programs,
            settings,
            name,
        )
        self.plane_wave = PlaneWaveSettings.chosen(settings, self.pseudopotentials.values())
        needed = max(one.plane_window for one in self.pseudopotentials.values())
        self.window = needed if settings.window is None else settings.window
        lead, scattering = self.cells.lead, self.cells.scattering
        self.folder = work / f"{_kind(scattering)}-{self._label(lead, scattering)}"
        self.lead_folder = work / f"lead-{_kind(lead)}-{self._label(lead)}"
        # results of one accuracy of PWCOND stand in a folder of their own; they share the densities
        accuracy = f"{settings.projection:g}-{settings.subslabs}-{self.window:g}"
        self._points = PointStore(self.folder / f"points-{accuracy}", name)
        self.wall_time = 0.0
        self.engine_version = ""

    def _label(self, *cells: Atoms) -> str:
        """Checksum of cells and all that decides their densities."""
        decisive = [
            repr(self.plane_wave),
            repr(self.cells.meshes(self._settings.mesh_density)[0]),
            *(
                self.pseudopotentials[element].checksum
                for element in sorted({symbol for cell in cells for symbol in cell.symbols})
            ),
            # one element is in the name of the folder
            *(str(cell.numbers.tolist()) for cell in cells if len(set(cell.numbers)) > 1),
            *(
                (np.round(array, 6) + 0.0).tobytes().hex()
                for cell in cells
                for array in (cell.positions, cell.cell.array)
            ),
        ]
        return hashlib.sha256("\n".join(decisive).encode()).hexdigest()[:12]

    def run(
        self, mesh: PlaneMesh, energies: FloatArray, watch: Watch
    ) -> tuple[JunctionTransmission, NDArray[np.str_]]:
        """Compute what is not there yet, and gather everything.

        Parameters
        ----------
        mesh : PlaneMesh
        energies : ndarray, shape (n_energies,)
            From the Fermi energy, eV.
        watch : callable

        Returns
        -------
        part : JunctionTransmission
            For `nanogap.transport.dataset.transmission_dataset`; transmissions that are not to be
            believed are not numbers.
        states : ndarray of str, shape (n_k, n_energies)
            State of every point of the mesh and energy, see `Point`.

        Raises
        ------
        EngineError
            If a program fails; what is finished is kept.
        """
        mesh = reduced_mesh(mesh.in_cell(self.cells.matrix), self.cells.symmetries())
        wanted = _with_fermi_energy(energies)
        points = mesh.points[mesh.computed]
        self._prepare()
        missing = [n for n, k in enumerate(points) if self._points.missing(k, wanted)]
        if missing:
            self._self_consistent(watch)
            self._check_channels(points[missing[0]], watch)
        per_run = max(1, _ATOMS_PER_RUN // len(self.cells.scattering))
        for begin in range(0, len(missing), per_run):
            group = points[missing[begin : begin + per_run]]
            watch(f"{self.name}: pwcond.x, k-point {begin + 1} of {len(missing)}")
            self._transmit(
                group, sorted({e for k in group for e in self._points.missing(k, wanted)})
            )
        if not self._settings.keep_states:
            shutil.rmtree(self.folder / STATE, ignore_errors=True)
        facts = self._facts()
        self.wall_time, self.engine_version = facts.wall_time, facts.version
        table = [self._points.points(k, wanted) for k in points]
        return self._gather(table, mesh, len(energies), facts.fermi_energy)

    def estimate(self, mesh: PlaneMesh, energies: FloatArray) -> float:
        """Estimate the time of what is not there yet, s, by `pwcond_cost`."""
        mesh = reduced_mesh(mesh.in_cell(self.cells.matrix), self.cells.symmetries())
        wanted = _with_fermi_energy(energies)
        missing = sum(len(self._points.missing(k, wanted)) for k in mesh.points[mesh.computed])
        if not missing:
            return 0.0
        size = JobSize.of(self.cells, self.plane_wave, self._settings.mesh_density)
        seconds = missing * size.pwcond_time(self._settings.subslabs, self._settings.projection)
        if not (self.folder / STATE).is_dir():
            seconds += size.self_consistent_time
        return seconds / self._settings.processes

    @property
    def _files(self) -> dict[str, Path]:
        """Names of the pseudopotentials in the folders, by chemical symbol."""
        if len(self.pseudopotentials) == 1:
            return {element: Path(_PSEUDOPOTENTIAL) for element in self.pseudopotentials}
        return {element: Path(f"{element}.UPF") for element in self.pseudopotentials}

    def _prepare(self) -> None:
        """Make the folders, self-contained but for the programs."""
        try:
            self._points.folder.mkdir(parents=True, exist_ok=True)
            self.lead_folder.mkdir(exist_ok=True)
            for folder in (self.folder, self.lead_folder):
                for element, found in self.pseudopotentials.items():
                    target = folder / self._files[element]
                    if not target.exists():
                        copy_atomically(found.path, target)
            for folder, cell in (
                (self.lead_folder, self.cells.lead),
                (self.folder, self.cells.scattering),
            ):
                if not (folder / "cell.extxyz").exists():
                    write = partial(cell.write, format="extxyz")
                    write_atomically(folder / "cell.extxyz", write)
        except OSError as error:
            raise EngineError(
                f"the work folder {self.folder} cannot be written: {error.strerror}: free disk "
                "space or choose another; start again, what is finished is kept"
            ) from None

    def _self_consistent(self, watch: Watch) -> None:
        """Converge the lead, which jobs share, and the scattering region."""
        lead_grids, scattering_grids = self.cells.grids(self.plane_wave)
        lead_mesh, scattering_mesh = self.cells.meshes(self._settings.mesh_density)
        results: dict[str, PlaneWaveResult] = {}
        seconds = 0.0
        for name, cell, folder, grids, mesh in (
            ("lead", self.cells.lead, self.lead_folder, lead_grids, lead_mesh),
            ("scattering", self.cells.scattering, self.folder, scattering_grids, scattering_mesh),
        ):
            watch(f"{self.name}: pw.x, {name} of {len(cell)} atoms")
            text = pw_input(
                cell,
                {element: self._files[element] for element in set(cell.symbols)},
                self.plane_wave,
                mesh,
                name=name,
                grids=grids,
            )
            results[name], taken = self_consistent(text, self._programs, folder, name)
            seconds += taken
            found = (results[name].dense_grid, results[name].smooth_grid)
            if found != grids:
                raise EngineError(
                    f"{self.name}: pw.x used the FFT grids {found} for the {name} where {grids} "
                    "were asked for: PWCOND would return wrong numbers"
                )
        for saved in ("lead.save", "lead.xml"):
            link = self.folder / STATE / saved
            link.unlink(missing_ok=True)
            link.symlink_to(Path("..") / ".." / self.lead_folder.name / STATE / saved)
        if not self._facts_file.is_file():
            facts = _JobFacts(
                fermi_energy=results["lead"].fermi_energy,
                fermi_energy_scattering=results["scattering"].fermi_energy,
                version=results["lead"].version,
                self_consistent_time=seconds,
                wall_time=seconds,
            )
            write_json(self._facts_file, asdict(facts))

    def _check_channels(self, k: FloatArray, watch: Watch) -> None:
        """Count the lead's channels at E_F by a run on the lead alone, once per job."""
        if self._points.knows_lead:
            return
        watch(f"{self.name}: pwcond.x, bands of the lead")
        printed = self._run(None, k[None], [0.0], "lead-bands")
        found = parse_points(printed, k[None])
        self._points.set_lead(k, found[0][0].channels)

    def _transmit(self, kpoints: FloatArray, energies: list[float]) -> None:
        """Run pwcond.x, and keep every block that it finished even if it then failed."""
        output = self.folder / "transmission.out"
        output.unlink(missing_ok=True)
        try:
            printed = self._run(self.cells.scattering, kpoints, energies, "transmission")
        except EngineError:
            if output.is_file():
                self._points.add(
                    _checked_points(output.read_text(errors="replace"), kpoints), kpoints
                )
            raise
        found = _checked_points(printed, kpoints)
        self._points.add(found, kpoints)
        for number, k in enumerate(kpoints):
            if len(found.get(number, ())) != len(energies):
                raise EngineError(
                    f"{self.name}: pwcond.x printed {len(found.get(number, ()))} of "
                    f"{len(energies)} energies at k = {k[0]:.4f} {k[1]:.4f} (see "
                    f"{output})"
                )

    def _run(
        self, scattering: Atoms | None, kpoints: FloatArray, energies: list[float], name: str
    ) -> str:
        text = pwcond_input(
            self.cells.lead,
            scattering,
            kpoints,
            energies,
            projection=self._settings.projection,
            subslabs=self._settings.subslabs,
            window=self.window,
            state=f"./{STATE}",
        )
        started = time.perf_counter()
        try:
            return run_program(self._programs, "pwcond.x", text, self.folder, name)
        finally:
            facts, seconds = self._facts(), time.perf_counter() - started
            taken = replace(
                facts,
                wall_time=facts.wall_time + seconds,
                pwcond_time=facts.pwcond_time + seconds,
            )
            write_json(self._facts_file, asdict(taken))

    @property
    def _facts_file(self) -> Path:
        return self.folder / "job.json"

    def _facts(self) -> _JobFacts:
        return _JobFacts(**json.loads(self._facts_file.read_text(encoding="utf-8")))

    def _gather(
        self, table: list[list[Point]], mesh: PlaneMesh, n_energies: int, fermi_energy: float
    ) -> tuple[JunctionTransmission, NDArray[np.str_]]:
        """Put the points in the form that all backends share."""
        values = np.array(
            [[p.transmission if p.believed else np.nan for p in row[:n_energies]] for row in table]
        )
        at_fermi_energy = [min(row, key=lambda point: abs(point.energy)) for row in table]
        channels = [
            np.sort(point.eigenchannels)[::-1] if point.believed else np.array([np.nan])
            for point in at_fermi_energy
        ]
        opened = np.array([2 * [point.channels] for point in at_fermi_energy], dtype=np.float64)
        part = JunctionTransmission(
            transmission=values[mesh.source],
            eigenchannels=[channels[source] for source in mesh.source],
            open_channels=opened[mesh.source],
            fermi_energy=fermi_energy,
        )
        states = np.array([[point.state for point in row[:n_energies]] for row in table])
        return part, states[mesh.source]


def _checked_points(printed: str, kpoints: FloatArray) -> dict[int, list[Point]]:
    """Read the finished blocks of an output; refuse them if its two calculations do not match."""
    found = parse_points(printed, kpoints)
    if found:  # all that is checked is printed before the first block
        check_grids(printed)
        check_boundaries(printed)
    return found


def _kind(cell: Atoms) -> str:
    """Name a cell by its elements and number of atoms, for example ``ag-s43``."""
    return f"{'-'.join(sorted({str(symbol).lower() for symbol in cell.symbols}))}{len(cell)}"


def _with_fermi_energy(energies: FloatArray) -> list[float]:
    """Add the Fermi energy, where eigenchannels and open channels are taken."""
    wanted = [float(energy) for energy in energies]
    return wanted if min(map(abs, wanted)) < SAME else [*wanted, 0.0]
