"""The subcommand that fits a Hamiltonian, or checks one."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanogap.cli.common import AsJson, check_figure, check_output, emit, log, save, table
from nanogap.cli.idle import refuse_idle
from nanogap.errors import SettingsError
from nanogap.printing import counted

if TYPE_CHECKING:
    from nanogap.transport.fitting.hamiltonian_checks import Check
    from nanogap.transport.fitting.reference_bands import BandFile
    from nanogap.transport.fitting.reference_transmissions import ReferenceTransmissions
    from nanogap.transport.tight_binding.model import TightBindingModel

_DEFAULT_ELEMENT = "Ag"
_OUTPUT, _RESTARTS = Path("hamiltonian.toml"), 14
#: Exit status where a check has failed: nothing is wrong with the command.
_FAILED = 3


def register(app: typer.Typer) -> None:
    """Add the subcommand to the command line."""
    app.command()(fit_hamiltonian)


def fit_hamiltonian(
    bands: Annotated[
        list[Path] | None,
        typer.Argument(help="reference bands (JSON); default: those of the element in the package"),
    ] = None,
    element: Annotated[
        str | None,
        typer.Option(help="whose bands of the package, if no file is given; default Ag"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help=f"TOML file of parameters; default {_OUTPUT}"),
    ] = None,
    transmissions: Annotated[
        Path | None,
        typer.Option(help="first-principles transmissions (JSON), for the vacuum tail"),
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="TOML file to start from instead of a clean guess")
    ] = None,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(help="a structure to judge by, not to fit, besides those that files name"),
    ] = None,
    restarts: Annotated[
        int | None, typer.Option(min=0, help=f"refits from perturbed models; default {_RESTARTS}")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="of the perturbations; default 0")] = None,
    figure: Annotated[
        Path | None, typer.Option(help="figure of all bands: pdf, svg, eps or png")
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="fit nothing; check a Hamiltonian, a TOML file or the symbol of a packaged one: "
            "status 3 if it fails (half a minute)",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit a tight-binding Hamiltonian to first-principles bands (an hour or two), or check one."""
    check_figure(figure, "--figure")
    if check is not None:
        idle = {"-o": output, "--start": start, "--restarts": restarts, "--seed": seed}
        refuse_idle(idle, "beside --check, which fits nothing")
        refuse_idle({"--element": element}, "beside --check, whose Hamiltonian has its own")
        _check(check, bands, transmissions, hold_out, figure, as_json=as_json)
        return
    from nanogap.io import write_text
    from nanogap.report.bands import bands_figure
    from nanogap.transport.fitting.fit_progress import (
        fit_key,
        progress_path,
        progress_text,
        read_progress,
    )
    from nanogap.transport.fitting.least_squares import band_errors
    from nanogap.transport.fitting.stages import error_table, fit_in_stages
    from nanogap.transport.fitting.vacuum_tail import fit_vacuum
    from nanogap.transport.tight_binding.model_file import model_to_toml

    output = _OUTPUT if output is None else output
    check_output(output, (".toml",))
    files = _band_files(bands, element)
    held_out = _held_out(files, hold_out)
    first_model = _first_model(start, files)
    judged = _transmissions(transmissions, first_model.element)
    given = [reference for file in files for reference in file.references]
    part, key = progress_path(output), fit_key(first_model, given, held_out, seed or 0)
    begun = read_progress(part, key, first_model, len(given))
    if begun is not None:
        log.print(f"Goes on from {part}, {counted(begun.finished, 'stage')} finished")
    started = time.monotonic()

    def report(line: str) -> None:
        log.print(f"{time.monotonic() - started:6.0f} s  {line}")

    model, references = fit_in_stages(
        first_model,
        given,
        restarts=_RESTARTS if restarts is None else restarts,
        seed=seed or 0,
        held_out=held_out,
        begun=begun,
        report=report,
        keep=lambda progress: write_text(part, progress_text(progress, key)),
    )
    if judged is not None:
        model = fit_vacuum(model, judged.work_function, judged.fitted_junctions, report)
    errors = error_table(model, references, held_out)
    write_text(output, model_to_toml(model, f"{_GREETING}\n{errors}\n"))
    part.unlink(missing_ok=True)
    if figure is not None:
        save(bands_figure(model, references), figure)
    if as_json:
        found = {
            name: [error.occupied, error.near_fermi_energy, error.shift]
            for name, error in band_errors(model, references).items()
        }
        emit({"parameters": str(output), "errors": found})
    else:
        log.print(f"Errors, meV: occupied, within 1.5 eV of E_F, E_F off\n{errors}")
        log.print(f"Wrote {output}")


def _check(
    name: str,
    bands: list[Path] | None,
    transmissions: Path | None,
    hold_out: list[str] | None,
    figure: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make all checks of a Hamiltonian, and end with another status if one fails."""
    from nanogap.report.bands import bands_figure
    from nanogap.transport.fitting.hamiltonian_checks import check_hamiltonian
    from nanogap.transport.tight_binding.files import load_model

    model = load_model(name)
    files = _band_files(bands, None if bands else model.element)
    _need_element(files[0].element, model.element, name)
    references = [reference for file in files for reference in file.references]
    held_out = _held_out(files, hold_out)
    judged = _transmissions(transmissions, model.element)
    if judged is None and not bands:
        judged = _packaged_transmissions(model.element)
    with log.status("Checks") as spinner:
        found = check_hamiltonian(
            model,
            references,
            held_out=held_out,
            transmissions=judged,
            report=lambda group: spinner.update(f"Checking {group}"),
        )
    if figure is not None:
        save(bands_figure(model, references), figure)
    passed = all(one.passed is not False for one in found)
    if as_json:
        checks = [asdict(one) | {"passed": one.passed} for one in found]
        emit(
            {
                "hamiltonian": name,
                "element": model.element,
                "held_out": held_out,
                "junctions": 0 if judged is None else len(judged.junctions),
                "passed": passed,
                "checks": checks,
            }
        )
    else:
        table(f"Checks of {name}", ("", "found", "limit", ""), [_words(one) for one in found])
        for one in found:
            if one.note and one.limit is not None:
                log.print(f"{one.name}: {one.note}", highlight=False, soft_wrap=True)
        failed = [one.name for one in found if one.passed is False]
        log.print(f"Failed: {', '.join(failed)}" if failed else "Passed", soft_wrap=True)
    if not held_out:
        log.print("No structure was held out: bands of what a fit has not seen are not judged")
    if judged is None:
        log.print("No transmissions were given: those of the model are not judged")
    if not passed:
        raise typer.Exit(_FAILED)


def _words(check: "Check") -> tuple[str, ...]:
    """Put a check into the cells of a row."""
    found = f"{check.value:.3g} {check.unit}".rstrip()
    if check.limit is None:
        return check.name, found, "", ""
    limit = f"{'≥' if check.is_least else '≤'} {check.limit:g}"
    return check.name, found, limit, "ok" if check.passed else "fails"


def _transmissions(path: Path | None, element: str) -> "ReferenceTransmissions | None":
    """Read a file of reference transmissions, if there is one, of an element."""
    from nanogap.transport.fitting.reference_transmissions import read_reference_transmissions

    if path is None:
        return None
    found = read_reference_transmissions(path)
    _need_element(element, found.element, str(path))
    return found


def _packaged_transmissions(element: str) -> "ReferenceTransmissions | None":
    """Read the packaged reference transmissions of an element, if there are any."""
    from nanogap.transport.fitting.reference_transmissions import (
        elements_with_transmissions,
        packaged_reference_transmissions,
    )

    known = element in elements_with_transmissions()
    return packaged_reference_transmissions(element) if known else None


_GREETING = """\
Tight-binding parameters fitted by 'nanogap fit-hamiltonian' to first-principles bands. Form and
meaning: nanogap.transport.tight_binding.matrices and docs/hamiltonian.md.
Energies in eV from the Fermi energy, lengths in angstrom.

Errors in meV: rms of the occupied bands, rms within 1.5 eV of E_F (both after the best rigid
shift of the structure), and that shift, by which the structure's Fermi energy is off zero.
"""


def _band_files(paths: list[Path] | None, element: str | None) -> "list[BandFile]":
    """Read the files of reference bands, all of one element; the packaged ones by default."""
    from nanogap.transport.fitting.reference_bands import need_band_files, read_band_file

    if not paths:
        return need_band_files(element or _DEFAULT_ELEMENT)
    refuse_idle({"--element": element}, "beside files of bands, which name their element")
    files = [read_band_file(path) for path in paths]
    for path, file in zip(paths, files, strict=True):
        _need_element(files[0].element, file.element, str(path))
    return files


def _held_out(files: "list[BandFile]", named: list[str] | None) -> tuple[str, ...]:
    """Return the names of the structures that are left out: of the files, and of the command."""
    return (*(name for file in files for name in file.held_out), *(named or ()))


def _first_model(path: Path | None, files: "list[BandFile]") -> "TightBindingModel":
    """Return the model to start from: that of a file, or a clean guess."""
    from nanogap.transport.fitting.stages import first_guess
    from nanogap.transport.tight_binding.model_file import read_model

    if path is None:
        return first_guess(files[0].element, files[0].electrons_per_atom)
    model = read_model(path)
    _need_element(files[0].element, model.element, str(path))
    return model


def _need_element(element: str, found: str, name: str) -> None:
    if found != element:
        raise SettingsError(f"{name} is of {found}, the reference bands are of {element}")
