"""The subcommand that fits a Hamiltonian."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanogap.cli.common import AsJson, check_figure, check_output, emit, log, save
from nanogap.cli.idle import refuse_idle
from nanogap.errors import SettingsError

if TYPE_CHECKING:
    from nanogap.transport.fitting.reference_bands import BandFile
    from nanogap.transport.tight_binding.model import TightBindingModel


_DEFAULT_ELEMENT = "Ag"


def register(app: typer.Typer) -> None:
    """Add the subcommand to the command line."""
    app.command()(fit_hamiltonian)


def fit_hamiltonian(
    bands: Annotated[
        list[Path] | None,
        typer.Argument(help="reference bands (JSON); default: those of the element in the package"),
    ] = None,
    element: Annotated[
        str | None, typer.Option(help="whose bands of the package, if no file is given: Ag")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="TOML file of parameters")] = Path(
        "hamiltonian.toml"
    ),
    transmissions: Annotated[
        Path | None,
        typer.Option(help="first-principles transmissions (JSON), for the vacuum tail"),
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="TOML file to start from instead of a clean guess")
    ] = None,
    hold_out: Annotated[
        list[str] | None, typer.Option(help="a structure to compare with, not to fit")
    ] = None,
    restarts: Annotated[int, typer.Option(min=0, help="refits from perturbed models")] = 14,
    seed: Annotated[int, typer.Option(min=0, help="of the perturbations")] = 0,
    figure: Annotated[
        Path | None, typer.Option(help="figure of all bands: pdf, svg, eps or png")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit a tight-binding Hamiltonian to first-principles bands (an hour)."""
    from nanogap.io import write_text
    from nanogap.report.bands import bands_figure
    from nanogap.transport.fitting.least_squares import band_errors
    from nanogap.transport.fitting.reference_transmissions import read_reference_transmissions
    from nanogap.transport.fitting.stages import error_table, fit_in_stages
    from nanogap.transport.fitting.vacuum_tail import fit_vacuum
    from nanogap.transport.tight_binding.files import model_to_toml

    check_figure(figure)
    check_output(output, (".toml",))
    files = _band_files(bands, element)
    first_model = _first_model(start, files)
    judged = read_reference_transmissions(transmissions) if transmissions else None
    if judged is not None:
        _need_element(first_model.element, judged.element, str(transmissions))
    held_out = tuple(hold_out or ())
    started = time.monotonic()

    def report(line: str) -> None:
        log.print(f"{time.monotonic() - started:6.0f} s  {line}")

    model, references = fit_in_stages(
        first_model,
        [reference for file in files for reference in file.references],
        restarts=restarts,
        seed=seed,
        held_out=held_out,
        report=report,
    )
    if judged is not None:
        model = fit_vacuum(model, judged.work_function, judged.fitted_junctions, report)
    table = error_table(model, references, held_out)
    write_text(output, model_to_toml(model, f"{_GREETING}\n{table}\n"))
    if figure is not None:
        save(bands_figure(model, references), figure)
    if as_json:
        errors = {
            name: [error.occupied, error.near_fermi_energy, error.shift]
            for name, error in band_errors(model, references).items()
        }
        emit({"parameters": str(output), "errors": errors})
    else:
        log.print(f"Errors, meV: occupied, within 1.5 eV of E_F, E_F off\n{table}")
        log.print(f"Wrote {output}")


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


def _first_model(path: Path | None, files: "list[BandFile]") -> "TightBindingModel":
    """Return the model to start from: that of a file, or a clean guess."""
    from nanogap.transport.fitting.stages import first_guess
    from nanogap.transport.tight_binding.files import read_model

    if path is None:
        return first_guess(files[0].element, files[0].electrons_per_atom)
    model = read_model(path)
    _need_element(files[0].element, model.element, str(path))
    return model


def _need_element(element: str, found: str, name: str) -> None:
    if found != element:
        raise SettingsError(f"{name} is of {found}, the reference bands are of {element}")
