"""The subcommand that fits a Hamiltonian: arguments in, calls out."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from nanogap.cli.common import AsJson, check_figure, emit, log, save
from nanogap.errors import DataFormatError, SettingsError


def register(app: typer.Typer) -> None:
    """Add the subcommand to the command line."""
    app.command()(fit_hamiltonian)


def fit_hamiltonian(
    bands: Annotated[
        list[Path] | None,
        typer.Argument(help="reference bands (JSON); default: those of silver in the package"),
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
    from nanogap.transport.fitting.least_squares import root_mean_squares
    from nanogap.transport.fitting.reference_bands import load_references
    from nanogap.transport.fitting.stages import error_table, fit_in_stages
    from nanogap.transport.fitting.vacuum_tail import fit_vacuum
    from nanogap.transport.tight_binding.files import model_to_toml

    check_figure(figure)
    if output.suffix != ".toml" or not output.absolute().parent.is_dir():
        raise SettingsError(f"-o {output}: give the name of a .toml file in an existing folder")
    contents = [(str(path), _read(path)) for path in bands] if bands else _packaged()
    reference = _read(transmissions) if transmissions else None
    references = [r for name, content in contents for r in load_references(content, name)]
    held_out = tuple(hold_out or ())
    started = time.monotonic()

    def tell(line: str) -> None:
        log.print(f"{time.monotonic() - started:6.0f} s  {line}")

    model, references = fit_in_stages(
        _start(start, contents[0][1]),
        references,
        restarts=restarts,
        seed=seed,
        held_out=held_out,
        tell=tell,
    )
    if reference is not None:
        junctions = [reference["junctions"][name] for name in reference["fitted"]]
        model = fit_vacuum(model, float(reference["work_function"]), junctions, tell)
    table = error_table(model, references, held_out)
    write_text(output, model_to_toml(model, f"{_GREETING}\n{table}\n"))
    if figure is not None:
        save(bands_figure(model, references), figure)
    if as_json:
        errors = root_mean_squares(model, references)
        emit({"parameters": str(output), "errors": {k: list(v) for k, v in errors.items()}})
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


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFormatError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(content, dict):
        raise DataFormatError(f"{path} is no JSON object: docs/hamiltonian.md shows the layout")
    return content


def _packaged() -> list[tuple[str, dict[str, Any]]]:
    from nanogap.transport.fitting.reference_bands import packaged_contents

    return packaged_contents("Ag")


def _start(path: Path | None, content: dict[str, Any]) -> Any:
    from nanogap.transport.fitting.stages import first_guess
    from nanogap.transport.tight_binding.files import read_model

    if path is None:
        return first_guess(str(content["element"]), float(content.get("electrons_per_atom", 11)))
    return read_model(path)
