"""The subcommands of compact models: arguments in, calls out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanogap.cli import common
from nanogap.cli.common import AsJson, Columns, SamplingRate, check_output, emit, log, table
from nanogap.cli.measured_options import Compliance, Files, Pristine, Resistance, ResistanceError
from nanogap.errors import SettingsError

if TYPE_CHECKING:
    from nanogap.compact.population import Distribution

app = typer.Typer(
    no_args_is_help=True, help="Models of few numbers, for circuit and network simulators."
)


def register(main: typer.Typer) -> None:
    """Add the subcommands to the command line."""
    main.add_typer(app, name="compact")


@app.command()
def fit(
    files: Files,
    model: Annotated[str, typer.Option(help="potentiation, gap, point-contact or threshold")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the model, json")] = Path(
        "model.json"
    ),
    levels: Annotated[
        str | None,
        typer.Option(
            help="of the model point-contact, as 1,2,3 (G0); without, peaks of the histogram"
        ),
    ] = None,
    series_resistance: Resistance = None,
    series_uncertainty: ResistanceError = None,
    pristine: Pristine = None,
    compliance: Compliance = None,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="figure: pdf, svg, eps or png; its curves are written beside it, as csv"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the models drawn for the band")] = 0,
    as_json: AsJson = False,
) -> None:
    """Fit a model to half of the cycles, with its distributions, and judge it by the other half."""
    from dataclasses import replace

    from nanogap.compact.file import model_named
    from nanogap.compact.fit import fit_model
    from nanogap.io import write_csv

    model_named(model)
    heights = None if levels is None else _heights(levels)
    check_output(output, (".json",))
    common.check_figure(figure, "--figure")
    data = common.data_files(
        files,
        series_resistance,
        series_uncertainty,
        pristine,
        columns,
        sampling_rate=sampling_rate,
    )
    data = replace(data, compliance=compliance)
    with common.counted("cycles fitted:") as watch:
        found = fit_model(data, model, levels=heights, seed=seed, watch=watch)
    found.fitted.write(output)
    if figure is not None:
        from nanogap.compact.figure import curve_rows, draw_fit

        common.save(draw_fit(found), figure)
        write_csv(figure.with_suffix(".csv"), curve_rows(found))
    common.tell(found.synthetic, found.notes)
    if as_json:
        emit({"output": str(output), **found.fitted.content()})
        return
    rows = [
        (
            one.name,
            f"{one.value:.4g} {one.unit}".rstrip(),
            _interval(one),
            "" if one.cycle_spread is None else f"{one.cycle_spread:.3g}",
            "" if one.device_spread is None else f"{one.device_spread:.3g}",
        )
        for one in found.fitted.distributions
    ]
    names = ("coordinate", "typical", "95 % interval", "over cycles", "over devices")
    table(found.fitted.model.title, names, rows)
    held = found.fitted.held_out
    if held is not None:
        log.print(
            f"{held.cycles} held-out cycles: {100.0 * held.explained:.1f} % of the variance of ln "
            f"G explained, error {held.error:.3f} decades (the mean curve of the fitted cycles: "
            f"{held.error_of_mean_curve:.3f}), {100.0 * held.inside:.0f} % of the readings in the "
            "90 % band",
            highlight=False,
            soft_wrap=True,
        )
    log.print(f"Wrote {output}")


def _heights(text: str) -> list[float]:
    """Read levels.

    Raises
    ------
    SettingsError
        If they are no numbers.
    """
    try:
        return [float(one) for one in text.split(",")]
    except ValueError:
        raise SettingsError(
            f"--levels {text!r}: give conductances in G0, rising, as 1,2,3"
        ) from None


def _interval(one: "Distribution") -> str:
    """Write the interval of a coordinate, or why there is none."""
    if not one.determined:
        low, high = one.allowed or (one.value, one.value)
        return f"held; moved from {low:.4g} to {high:.4g}"
    if one.interval is None:
        return "none: too few cycles"
    return f"{one.interval[0]:.4g} to {one.interval[1]:.4g}"


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="a model, as 'nanogap compact fit' writes it")],
    form: Annotated[
        str, typer.Option("--format", help="verilog-a, spice, python, network or json")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="the new file")],
    as_json: AsJson = False,
) -> None:
    """Write a fitted model, with its Monte-Carlo parameters, for another simulator."""
    from nanogap.compact.export import ENDINGS, exported, module_name
    from nanogap.compact.file import read_model
    from nanogap.io import write_text

    fitted = read_model(model)
    text = exported(fitted, form)
    check_output(output, ENDINGS[form])
    write_text(output, text)
    if as_json:
        emit({"output": str(output), "format": form, "name": module_name(fitted)})
    else:
        log.print(f"Wrote {output}: {module_name(fitted)}", highlight=False)
