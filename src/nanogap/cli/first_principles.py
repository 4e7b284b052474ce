"""The subcommands that run Quantum ESPRESSO: arguments in, calls out."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanogap.cli.common import (
    LONG_WORK,
    AsJson,
    Directory,
    check_output,
    emit,
    log,
    refuse_unasked,
)
from nanogap.errors import SettingsError
from nanogap.printing import time_in_words

if TYPE_CHECKING:
    from nanogap.runs.reference import ReferenceOfRun
    from nanogap.transport.cost import TransmissionCost
    from nanogap.transport.espresso.pseudopotential_report import PseudopotentialReport

_ACCURACY = "validation"
ACCURACY = typer.Option(help="pwcond: coarse, validation, paper, or a TOML file of one")
Accuracy = Annotated[str, ACCURACY]
Upf = Annotated[
    Path | None, typer.Option(help="pwcond: UPF file; without it nanogap makes its own")
]
Yes = Annotated[bool, typer.Option("--yes", help="start long work unasked")]

#: Work beyond this is told before it begins, s and bytes.
_WORTH_A_WORD, _MUCH_MEMORY = 60.0, 2e9


def register(app: typer.Typer) -> None:
    """Add the subcommands to the command line."""
    for command in (reference, pseudopotential):
        app.command()(command)


def reference(
    directory: Directory,
    snapshots: Annotated[int, typer.Option(help="how many, one per stage first")] = 6,
    energies: Annotated[str, typer.Option(help="eV from E_F, as of 'transmission'")] = "0",
    repeats: Annotated[int, typer.Option(help="cell of the junctions, bond lengths")] = 2,
    accuracy: Accuracy = _ACCURACY,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Compute some snapshots of a run with Quantum ESPRESSO and PWCOND."""
    from nanogap.runs.reference import describe

    result = compute_reference(directory, snapshots, energies, repeats, accuracy, unasked=yes)
    if as_json:
        emit(result)
    else:
        sys.stdout.write(describe(result))


def compute_reference(
    directory: Path, snapshots: int, energies: str, repeats: int, accuracy: str, *, unasked: bool
) -> "ReferenceOfRun":
    """Compute some snapshots of a run, with a spinner that says what is being done."""
    from nanogap.runs.reference import reference_of_run
    from nanogap.settings import load_accuracy

    with log.status("Reference") as spinner:
        return reference_of_run(
            directory,
            snapshots=snapshots,
            energies=energies,
            repeats=repeats,
            settings=load_accuracy(accuracy),
            watch=spinner.update,
            confirm=confirm_long_work(spinner, unasked=unasked),
        )


def pseudopotential(
    element: Annotated[str, typer.Argument(help="chemical symbol")] = "Ag",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="UPF file")] = None,
    pseudopotential: Upf = None,
    figure: Annotated[Path | None, typer.Option(help="PNG of the scattering phases")] = None,
    crystal: Annotated[bool, typer.Option(help="test the crystal too, two minutes")] = True,
    as_json: AsJson = False,
) -> None:
    """Make the pseudopotential of an element with ld1.x, and check it."""
    from nanogap.settings import load_accuracy
    from nanogap.transport.espresso.pseudopotential_report import describe, pseudopotential_report

    for path, suffixes in ((output, (".UPF", ".upf")), (figure, (".png", ".svg"))):
        if path is not None:
            check_output(path, suffixes)
    with log.status("Pseudopotential") as spinner:
        report = pseudopotential_report(
            element,
            settings=load_accuracy("paper", {"pseudopotential": pseudopotential}),
            output=output,
            crystal=crystal,
            watch=spinner.update,
        )
    if figure is not None:
        from nanogap.report.first_principles import draw_scattering

        draw_scattering(report.scattering, figure)
    if as_json:
        emit(_as_json(report))
    else:
        sys.stdout.write(describe(report))


def _as_json(report: "PseudopotentialReport") -> dict[str, Any]:
    """Flatten a report; errors in mRy to 1e-3, properties of the crystal only if computed."""
    found = report.pseudopotential
    content: dict[str, Any] = {
        "file": str(found.path),
        "element": found.element,
        "kind": found.kind,
        "valence": found.valence,
        "functional": found.functional,
        "wave_cutoff": found.wave_cutoff,
        "density_cutoff": found.density_cutoff,
        "transferability": [
            {
                "occupations": entry.occupations,
                "energy_error": round(1e3 * entry.energy_error, 3),
                "level_errors": {
                    name: round(1e3 * error, 3) for name, error in entry.level_errors.items()
                },
            }
            for entry in report.configurations
        ],
        "worst_error": round(1e3 * report.worst_error, 3),
        "worst_phase_error": report.scattering.worst_error,
        "ghosts": list(report.ghosts),
    }
    if report.crystal is not None:
        content |= asdict(report.crystal.computed)
        content["all_electron"] = asdict(report.crystal.all_electron)
    return content


def first_principles_options(
    backend: str, spinner: Any, given: Mapping[str, Any], *, unasked: bool
) -> dict[str, object]:
    """Return what only a first-principles backend takes; refuse it for another one."""
    from nanogap.settings import load_accuracy
    from nanogap.transport.backends import backend_names, get_backend

    named = {name: value for name, value in given.items() if value is not None}
    if "settings" not in get_backend(backend).options:
        if named:
            able = [name for name in backend_names() if "settings" in get_backend(name).options]
            raise SettingsError(
                f"--{next(iter(named))} is of --backend {' or '.join(able)}, not of {backend}: "
                "leave it out"
            )
        return {}
    accuracy = named.pop("accuracy", _ACCURACY)
    work = {"work": named.pop("work")} if "work" in named else {}
    return {
        "settings": load_accuracy(accuracy, named),
        "watch": spinner.update,
        "confirm": confirm_long_work(spinner, unasked=unasked),
        **work,
    }


def confirm_cost(spinner: Any, *, unasked: bool) -> Callable[["TransmissionCost"], bool]:
    """Return a function that tells the cost of a transmission, if it is long or large, and asks."""
    confirm = confirm_long_work(spinner, unasked=unasked)

    def confirmed(cost: "TransmissionCost") -> bool:
        if cost.seconds < _WORTH_A_WORD and cost.memory < _MUCH_MEMORY:
            return True
        return confirm(cost.seconds, f" and {cost.memory / 1e9:.1f} GB of memory: {cost.size}")

    return confirmed


def confirm_long_work(spinner: Any, *, unasked: bool) -> Callable[..., bool]:
    """Return a function that tells the expected time of work, and asks whether to begin it.

    Returns
    -------
    callable
        Of the time (s) and, optionally, words for the size of the work.
    """

    def confirm(seconds: float, size: str = "") -> bool:
        spinner.stop()
        log.print(f"This will take about {time_in_words(seconds)}{size}.", soft_wrap=True)
        asked = not unasked and seconds > LONG_WORK
        if asked:
            refuse_unasked(seconds)
        go_on = not asked or typer.confirm("Continue?", err=True)
        spinner.start()
        return go_on

    return confirm
