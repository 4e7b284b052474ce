"""The subcommand that computes a transmission: arguments in, calls out."""

import math
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from nanogap.cli.common import AsJson, check_output, counted_after, emit, log
from nanogap.cli.first_principles import (
    ACCURACY,
    Upf,
    Yes,
    confirm_cost,
    first_principles_options,
)
from nanogap.cli.terminal import Terminal
from nanogap.errors import SettingsError
from nanogap.printing import counted

if TYPE_CHECKING:
    from nanogap.transport.dataset import TransmissionSummary
    from nanogap.transport.of_file import TransmissionRequest

_BONDS_SHOWN = 20


#: K, and V: more is a slip of the pen, and would take hours of energies.
_HOTTEST, _LARGEST_BIAS = 1e5, 10.0


def register(app: typer.Typer) -> None:
    """Add the subcommand to the command line."""
    app.command()(transmission)


def transmission(
    file: Annotated[Path, typer.Argument(help="a junction, or a frame of a nanogap trajectory")],
    index: Annotated[str, typer.Option(help="frame or slice of the file: 0, -1, 0:10")] = "-1",
    energies: Annotated[
        str | None,
        typer.Option(help="eV from E_F: start:stop:step or a comma-separated list; default 0"),
    ] = None,
    kpoints: Annotated[
        tuple[int, int] | None,
        typer.Option(help="in-plane mesh, shifted off Γ; wins over --mesh", metavar="N M"),
    ] = None,
    mesh: Annotated[
        str | None,
        typer.Option(
            help="auto: by the cell's width, the default; paper: 135 independent points; pwcond: "
            "without it, that of the accuracy"
        ),
    ] = None,
    gamma_centred: Annotated[bool, typer.Option("--gamma-centred", help="centre it on Γ")] = False,
    per_k: Annotated[bool, typer.Option("--per-k", help="also print T at every k")] = False,
    cut: Annotated[
        str | None,
        typer.Option(
            help="how a frame is cut: terrace, paper, full; default: as its run does, else terrace"
        ),
    ] = None,
    backend: Annotated[
        str, typer.Option(help="what computes it: tight-binding, dense, pwcond, sisl")
    ] = "tight-binding",
    hamiltonian: Annotated[
        Path | None,
        typer.Option(help="TOML file of a fitted Hamiltonian; default: the packaged one"),
    ] = None,
    accuracy: Annotated[str | None, ACCURACY] = None,
    pseudopotential: Upf = None,
    work: Annotated[
        Path | None,
        typer.Option(help="pwcond: folder to go on in, default pwcond"),
    ] = None,
    processes: Annotated[int | None, typer.Option(help="pwcond: MPI processes")] = None,
    yes: Yes = False,
    neutrality: Annotated[
        str, typer.Option(help="shifts of levels: none, coordination, self-consistent")
    ] = "none",
    temperature: Annotated[
        float | None, typer.Option(help="K: add linear conductance and thermopower")
    ] = None,
    iv: Annotated[
        str | None, typer.Option("--iv", help="voltages start:stop:step in V: add the current")
    ] = None,
    local_density: Annotated[
        bool, typer.Option("--local-density", help="add the density of states of atoms at E_F")
    ] = False,
    bond_currents: Annotated[
        bool, typer.Option("--bond-currents", help="add the currents between atoms at E_F")
    ] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="netCDF file")] = None,
    figure: Annotated[
        Path | None, typer.Option(help="draw T(E) and I(V): .png, .pdf or .svg")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute the ballistic transmission of a junction or of trajectory frames."""
    from nanogap.caches import compiles_anew
    from nanogap.transport.of_file import TransmissionRequest, transmission_of_file

    if compiles_anew():
        log.print(
            "Note: no cache folder can be written, so that the program is compiled anew at each "
            "call, which takes up to a minute: let NUMBA_CACHE_DIR name a folder that stays",
            soft_wrap=True,
        )
    if output is not None:
        check_output(output, (".nc",))
    if figure is not None:
        check_output(figure, (".png", ".pdf", ".svg"), "--figure")
    request = TransmissionRequest(
        index=index,
        energies=energies,
        kpoints=mesh if kpoints is None else kpoints,
        gamma_centred=gamma_centred,
        per_k=per_k,
        backend=backend,
        neutrality=neutrality,
        temperature=temperature,
        voltages=iv,
        local_density=local_density,
        bond_currents=bond_currents,
        output=output,
        hamiltonian=hamiltonian,
    )
    own = {
        "accuracy": accuracy,
        "pseudopotential": pseudopotential,
        "processes": processes,
        "work": work,
    }
    with log.status("Transmission") as spinner, counted_after(spinner, "transmission") as progress:
        options = first_principles_options(backend, spinner, own, unasked=yes)
        _check(request)
        request = _of_its_run(file, request if cut is None else replace(request, cut=cut), cut)
        request = replace(
            request,
            options=options,
            confirm=confirm_cost(spinner, unasked=yes),
            progress=progress,
        )
        found = transmission_of_file(file, request)
    if figure is not None:
        from nanogap.report.transmission import write_transmission_figure

        write_transmission_figure(found.dataset, figure)
    for note in found.summary.notes or ():
        log.print(f"Note: {note}", markup=False, highlight=False, soft_wrap=True)
    if as_json:
        emit(_asked_for(found.summary))
    else:
        _print_transmission(found.summary)


def _of_its_run(
    file: Path, request: "TransmissionRequest", cut: str | None
) -> "TransmissionRequest":
    """Cut and compute the frames of a run's own trajectory as the run does."""
    from nanogap.transport.compute import CUTS

    if cut is not None and cut not in CUTS:
        return request  # refused where it is used
    from nanogap.io.run_files import RunFiles, is_run_directory

    if not is_run_directory(file.parent) or file.name != RunFiles(file.parent).trajectory.name:
        return request
    from nanogap.runs.cell import junctions_of_frames

    run, junctions = junctions_of_frames(file.parent, request.index, cut)
    transport = run.settings.transport
    if request.kpoints is None and request.backend == "tight-binding":
        mesh = transport.kpoints
        request = replace(request, kpoints=mesh, gamma_centred=transport.gamma_centred)
    return replace(request, cut=cut or run.settings.junction.cut, junctions=junctions)


def _check(request: "TransmissionRequest") -> None:
    """Refuse options that cannot be, by their names on the command line."""
    from nanogap.settings import parse_energies
    from nanogap.transport.backends import backend_names, get_backend

    if request.voltages is not None:
        try:
            voltages = parse_energies(request.voltages)
        except SettingsError as error:
            raise SettingsError(f"--iv: {error}".replace("energies", "voltages")) from None
        largest = max(map(abs, voltages))
        if largest > _LARGEST_BIAS:
            raise SettingsError(
                f"--iv {request.voltages}: {largest:g} V is no voltage of a ballistic junction; "
                f"give at most {_LARGEST_BIAS:g} V"
            )
    hot = request.temperature
    if hot is not None and not 0.0 < hot <= _HOTTEST:
        raise SettingsError(f"--temperature {hot:g}: give kelvins above 0, at most {_HOTTEST:g} K")
    kpoints = request.kpoints
    if isinstance(kpoints, tuple) and not all(1 <= number <= 64 for number in kpoints):
        raise SettingsError(f"--kpoints {kpoints[0]} {kpoints[1]}: give two numbers from 1 to 64")
    if isinstance(kpoints, str) and kpoints not in {"auto", "paper"}:
        raise SettingsError(f"--mesh {kpoints!r}: choose auto or paper")
    local = request.local_density or request.bond_currents
    if local and get_backend(request.backend).compute_local is None:
        asked = "--local-density" if request.local_density else "--bond-currents"
        able = [name for name in backend_names() if get_backend(name).compute_local is not None]
        raise SettingsError(
            f"{asked}: backend {request.backend!r} has none; choose {' or '.join(able)}"
        )


def _asked_for(summary: "TransmissionSummary") -> dict[str, Any]:
    """Return what a summary holds beside what was not asked for, which is None."""
    values = ((field.name, getattr(summary, field.name)) for field in fields(summary))
    return {name: value for name, value in values if value is not None}


def _print_transmission(summary: "TransmissionSummary") -> None:
    table = Table(title=f"{summary.backend}, {counted(summary.n_kpoints, 'k-point')}")
    for name in ("snapshot", "E - E_F (eV)", "T (G0)"):
        table.add_column(name, justify="right")
    for number, values in enumerate(summary.transmission):
        for energy, value in zip(summary.energies, values, strict=True):
            shown = "not computed" if value is None else f"{value:.4f}"
            table.add_row(str(number), f"{energy:.3f}", shown)
    Terminal().print(table)
    responses = zip(summary.conductance or (), summary.thermopower or (), strict=True)
    for number, (conductance, seebeck) in enumerate(responses):
        words = "none" if math.isnan(seebeck) else f"{seebeck * 1e6:.2f} µV/K"
        sys.stdout.write(
            f"snapshot {number} at {summary.temperature:g} K: G = {conductance:.4f} G0, "
            f"thermopower {words}\n"
        )
    for number, currents in enumerate(summary.current or ()):
        for voltage, current in zip(summary.voltages or (), currents, strict=True):
            sys.stdout.write(f"snapshot {number}: {voltage:g} V, {current * 1e6:.4f} µA\n")
    _print_local(summary)


def _print_local(summary: "TransmissionSummary") -> None:
    for number, local in enumerate(summary.local_density or ()):
        atoms = Table(title=f"snapshot {number}: density of states at E_F")
        for name in ("atom", "1/eV"):
            atoms.add_column(name, justify="right")
        for atom, density in zip(local.atom, local.density, strict=True):
            atoms.add_row(str(atom), f"{density:.4f}")
        Terminal().print(atoms)
    for number, flows in enumerate(summary.bond_currents or ()):
        bonds = Table(title=f"snapshot {number}: the largest bond currents (all: --json)")
        for name in ("from atom", "to atom", "G0"):
            bonds.add_column(name, justify="right")
        rows = zip(flows.first, flows.second, flows.current, strict=True)
        for first, second, current in sorted(rows, key=lambda row: -row[2])[:_BONDS_SHOWN]:
            bonds.add_row(str(first), str(second), f"{current:.4f}")
        Terminal().print(bonds)
