"""The command line: arguments in, calls out."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from nanogap import __version__, cli_campaign, cli_dynamics, cli_first_principles, cli_fit
from nanogap.cli_first_principles import ACCURACY, Upf, Yes, pwcond_options
from nanogap.cli_measured import register, report_of_data
from nanogap.cli_options import AsJson, Directory
from nanogap.cli_output import check_output, show_progress
from nanogap.errors import NanogapError, SettingsError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Voltage-driven rewiring of silver nanogaps: dynamics, conductance, statistics.",
    pretty_exceptions_enable=False,
)
log = Console(stderr=True)

Source = Annotated[str, typer.Argument(help="a preset (quick, paper-2v, paper-8v) or a TOML file")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="section.key=value, wins over the file")
]

_INTERRUPTED = 130
_BONDS_SHOWN = 20


def main() -> None:
    """Run the command line; a wrong input ends with one sentence and exit status 2."""
    try:
        if app(standalone_mode=False) == _INTERRUPTED:  # what typer makes of Ctrl-C
            _end_interrupted()
    except NanogapError as error:
        _complain(str(error))
        sys.exit(2)
    except typer.TyperException as error:
        message = error.format_message()  # empty where the help was shown instead
        if message:
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "nanogap"
            _complain(f"{message.rstrip('.')}: see '{command} --help'")
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        _end_interrupted()
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _complain(f"{place}{error.strerror or error}")
        sys.exit(2)
    except Exception as error:
        if os.environ.get("NANOGAP_TRACEBACK"):
            raise
        _complain(
            f"internal error, please report it: {type(error).__name__}: {error} "
            "(NANOGAP_TRACEBACK=1 shows where)"
        )
        sys.exit(1)


def _end_interrupted() -> NoReturn:
    _complain("interrupted; what is finished is on disk, 'nanogap resume DIR' goes on")
    sys.exit(_INTERRUPTED)


def _complain(sentence: str) -> None:
    """Write one line, whatever line breaks a library's own message has."""
    sys.stderr.write(f"nanogap: {' '.join(sentence.split())}\n")


def _emit(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
) -> None:
    if version:
        sys.stdout.write(f"nanogap {__version__}\n")
        raise typer.Exit


@app.command()
def init(
    preset: Annotated[str, typer.Argument(help="the preset to begin with")] = "quick",
    output: Annotated[Path, typer.Option("-o", "--output", help="the new file")] = Path(
        "nanogap.toml"
    ),
    as_json: AsJson = False,
) -> None:
    """Write a settings file to edit, from a preset."""
    from nanogap.io import write_text
    from nanogap.settings import preset_text

    text = preset_text(preset)
    if output.exists():
        raise SettingsError(f"{output} exists already: choose another -o")
    check_output(output, (".toml",))
    write_text(output, text)
    if as_json:
        _emit({"settings": str(output), "preset": preset})
    else:
        log.print(f"Wrote {output}. Run it with: nanogap run {output} -o DIR")


@app.command()
def build(
    source: Source,
    output: Annotated[Path, typer.Option("-o", "--output", help="extxyz file")],
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Build the two tips and write them as extxyz."""
    from ase.io import write

    from nanogap.io import write_atomically
    from nanogap.run import build_structure
    from nanogap.settings import load_settings

    settings = load_settings(source, tuple(overrides or ()))
    check_output(output, (".extxyz", ".xyz"))
    with log.status("Lattice constant and structure"):
        atoms = build_structure(settings)
    write_atomically(output, lambda path: write(path, atoms, format="extxyz"))
    lattice_constant = atoms.info["lattice_constant"]
    if as_json:
        _emit({"file": str(output), "atoms": len(atoms), "lattice_constant": lattice_constant})
    else:
        log.print(f"Wrote {output}: {len(atoms)} atoms, lattice constant {lattice_constant:.3f} Å")


@app.command()
def run(
    source: Source,
    output: Annotated[Path, typer.Option("-o", "--output", help="the new run directory")],
    overrides: Overrides = None,
    reference_snapshots: Annotated[
        int, typer.Option(help="then compute so many snapshots with pwcond, see 'reference'")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Simulate a rewiring and compute the transmission of every snapshot."""
    from nanogap.run import start_run
    from nanogap.settings import load_settings
    from nanogap.transport.choice import why_none

    settings = load_settings(source, tuple(overrides or ()))
    missing = why_none(settings.transport.hamiltonian, settings.structure.element)
    if missing:
        log.print(f"Note: {missing}", highlight=False)
    with show_progress() as watch:
        start_run(output, settings, source, watch)
    if reference_snapshots:
        cli_first_principles.compute_reference(
            output, reference_snapshots, "0", 2, "validation", unasked=True
        )
    _conclude(output, as_json)


@app.command()
def resume(directory: Directory, as_json: AsJson = False) -> None:
    """Go on with an interrupted run to the end it would have had."""
    from nanogap.run import resume_run

    with show_progress() as watch:
        resume_run(directory, watch)
    _conclude(directory, as_json)


@app.command()
def status(directory: Directory, as_json: AsJson = False) -> None:
    """Say how far a run is."""
    from nanogap.run import RunDirectory
    from nanogap.run import status as describe

    content = describe(RunDirectory(directory))
    if as_json:
        _emit(content)
    else:
        _print_status(directory, content)


@app.command()
def report(
    data: Annotated[list[Path], typer.Argument(help="a run directory, or measured data")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="report of measured data (html)")
    ] = Path("report.html"),
    as_json: AsJson = False,
) -> None:
    """Write the report of a run anew, finished or not, or that of a measurement campaign."""
    from nanogap.measured.files import are_measured
    from nanogap.run import RunDirectory, make_report

    if are_measured(data):
        report_of_data(data, output, as_json)
        return
    directory = data[0]
    finished = RunDirectory(directory)
    if not finished.dynamics.commit.snapshots:
        raise SettingsError(f"{directory} has no snapshot yet: wait for the first, or resume it")
    make_report(finished)
    if as_json:
        _emit({"report": str(finished.report)})
    else:
        log.print(f"Report: {finished.report}")


@app.command()
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
    cut: Annotated[str, typer.Option(help="how a trajectory frame is cut: paper or full")] = "full",
    backend: Annotated[
        str, typer.Option(help="what computes it: tight-binding, dense, pwcond, sisl")
    ] = "tight-binding",
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
    from dataclasses import replace

    from nanogap.run.single import TransmissionRequest, transmission_of_file

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
        cut=cut,
        backend=backend,
        neutrality=neutrality,
        temperature=temperature,
        voltages=iv,
        local_density=local_density,
        bond_currents=bond_currents,
        output=output,
        figure=figure,
    )
    own = {
        "accuracy": accuracy,
        "pseudopotential": pseudopotential,
        "processes": processes,
        "work": work,
    }
    with log.status("Transmission") as spinner:
        options = pwcond_options(backend, spinner, own, unasked=yes)
        summary = transmission_of_file(file, replace(request, options=options))
    if as_json:
        _emit(summary)
    else:
        _print_transmission(summary)


register(app)
cli_dynamics.register(app)
cli_fit.register(app)
cli_first_principles.register(app)
app.add_typer(cli_campaign.app, name="campaign")


def _conclude(directory: Path, as_json: bool) -> None:
    from nanogap.run import RunDirectory
    from nanogap.run import status as describe

    content = describe(RunDirectory(directory))
    if as_json:
        _emit(content)
    else:
        _print_status(directory, content)


def _print_status(directory: Path, content: dict[str, Any]) -> None:
    known = [value for value in content["transmission"] if value is not None]
    table = Table(title=str(directory), show_header=False)
    table.add_row("state", content["state"])
    table.add_row("snapshots", f"{content['snapshots']} of {content['snapshots_planned']}")
    table.add_row("transmissions", f"{len(known)}")
    if known:
        table.add_row("T first, last", f"{known[0]:.3f}, {known[-1]:.3f} G0")
    table.add_row("connected now", str(bool(content["connected"] and content["connected"][-1])))
    if content["failures"]:
        reasons = set(content["failures"].values())
        why = reasons.pop() if len(reasons) == 1 else "see the report"
        table.add_row("without transmission", f"{len(content['failures'])} ({why})")
    if content["error"]:
        table.add_row("error", content["error"])
    Console().print(table)
    if content["report"]:
        sys.stdout.write(f"Report: {Path(content['report']).absolute()}\n")


def _print_transmission(summary: dict[str, Any]) -> None:
    table = Table(title=f"{summary['backend']}, {summary['n_kpoints']} k-points")
    for name in ("snapshot", "E - E_F (eV)", "T (G0)"):
        table.add_column(name, justify="right")
    for number, values in enumerate(summary["transmission"]):
        for energy, value in zip(summary["energies"], values, strict=True):
            shown = "not computed" if value is None else f"{value:.4f}"
            table.add_row(str(number), f"{energy:.3f}", shown)
    Console().print(table)
    for number, value in enumerate(summary.get("conductance", [])):
        seebeck = summary["thermopower"][number]
        words = "none" if seebeck is None else f"{seebeck * 1e6:.2f} µV/K"
        sys.stdout.write(
            f"snapshot {number} at {summary['temperature']:g} K: G = {value:.4f} G0, "
            f"thermopower {words}\n"
        )
    for number, currents in enumerate(summary.get("current", [])):
        for voltage, current in zip(summary["voltages"], currents, strict=True):
            sys.stdout.write(f"snapshot {number}: {voltage:g} V, {current * 1e6:.4f} µA\n")
    _print_local(summary)


def _print_local(summary: dict[str, Any]) -> None:
    for number, local in enumerate(summary.get("local_density", [])):
        atoms = Table(title=f"snapshot {number}: density of states at E_F")
        for name in ("atom", "1/eV"):
            atoms.add_column(name, justify="right")
        for atom, density in zip(local["atom"], local["density"], strict=True):
            atoms.add_row(str(atom), f"{density:.4f}")
        Console().print(atoms)
    for number, local in enumerate(summary.get("bond_currents", [])):
        bonds = Table(title=f"snapshot {number}: the largest bond currents (all: --json)")
        for name in ("from atom", "to atom", "G0"):
            bonds.add_column(name, justify="right")
        rows = zip(local["first"], local["second"], local["current"], strict=True)
        for first, second, current in sorted(rows, key=lambda row: -row[2])[:_BONDS_SHOWN]:
            bonds.add_row(str(first), str(second), f"{current:.4f}")
        Console().print(bonds)
