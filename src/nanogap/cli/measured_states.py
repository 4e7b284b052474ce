"""The subcommands for switching: SET and RESET, how long a state lasts, and where a wire broke."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from nanogap.cli import common
from nanogap.cli.common import AsJson, Columns, FigureFile, Origin, SamplingRate, log
from nanogap.cli.idle import refuse_idle
from nanogap.cli.measured_options import (
    By,
    Compliance,
    Export,
    Files,
    OneFile,
    Pristine,
    Resistance,
    ResistanceError,
    check_grouping,
    save_all,
    save_grouping,
    tell_grouping,
)
from nanogap.errors import SettingsError
from nanogap.printing import counted


def switching(
    files: Files,
    read_voltage: Annotated[float, typer.Option(help="where the states are read, V")] = 0.4,
    minimum_ratio: Annotated[float, typer.Option(help="least ratio of an event, above 1")] = 3.0,
    method: Annotated[str, typer.Option(help="steepest, threshold or compliance")] = "steepest",
    compliance: Compliance = None,
    endurance: Annotated[
        bool, typer.Option("--endurance", help="-o draws the states over the cycles")
    ] = False,
    distribution: Annotated[
        bool, typer.Option("--distribution", help="-o draws the Weibull plot of the voltages")
    ] = False,
    series_resistance: Resistance = None,
    series_uncertainty: ResistanceError = None,
    pristine: Pristine = None,
    columns: Columns = None,
    file: OneFile = None,
    sampling_rate: SamplingRate = None,
    by: By = None,
    export: Export = None,
    output: FigureFile = None,
    figures: Annotated[
        Path | None, typer.Option(help="folder for the figures of every file, as pdf")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find SET and RESET events in current-voltage loops, the two states, endurance."""
    from nanogap.measured import switching_campaign

    common.check_figure(output)
    chosen = {"--endurance": endurance, "--distribution": distribution, "--file": file}
    check_grouping(by, export, chosen)
    if output is None:
        refuse_idle(chosen, "without -o, whose figure it chooses")
    if distribution:
        del chosen["--distribution"]
        refuse_idle(chosen, "beside --distribution, which draws the voltages of all files")
    data = common.data_files(
        files, series_resistance, series_uncertainty, pristine, columns, sampling_rate=sampling_rate
    )
    with common.counted_files("Switching", data) as watched:
        result = switching_campaign(
            watched,
            read_voltage=read_voltage,
            minimum_ratio=minimum_ratio,
            method=cast("Any", method),  # the analysis names the choices
            compliance=compliance,
            by=by,
        )
        content = result.summary()
    if output is not None and not save_grouping(content, output):
        from nanogap.measured import drawing

        loops = [(trace.name, 0) for trace, _ in result.rows]
        row = drawing.chosen_row(loops, file)
        if distribution:
            figure = drawing.draw_weibull(result)
            if figure is None:
                raise SettingsError("there are too few events for a distribution")
        else:
            draw = drawing.draw_endurance if endurance else drawing.draw_switching
            figure = draw(result, row)
        common.save(figure, output)
        if len(loops) > 1 and file is None and not distribution:
            log.print(
                f"{output} shows the first of {len(loops)} files; choose with --file",
                soft_wrap=True,
            )
    if figures is not None:
        from nanogap.measured import drawing

        save_all(drawing.all_of_switching(result), figures)
    common.tell(content.synthetic, content.notes)
    tell_grouping(content.by, export, silent=as_json)
    if as_json:
        common.emit(content)
        return
    rows = [
        (
            kind,
            str(law.count),
            f"{law.median:.3f}",
            f"{law.deviation:.3f}" if law.count > 1 else "",
            f"{law.weibull.shape:.1f}, {law.weibull.scale:.3g} V" if law.weibull else "too few",
        )
        for kind, law in content.laws()
    ]
    names = ("event", "number", "median (V)", "σ (V)", "Weibull shape, scale")  # noqa: RUF001
    none = f"There is no SET or RESET in {counted(len(result.rows), 'file')}."
    common.table(counted(len(content.events), "event"), names, rows, none)


def retention(
    files: Files,
    series_resistance: Resistance = None,
    series_uncertainty: ResistanceError = None,
    pristine: Pristine = None,
    tolerance: Annotated[float, typer.Option(help="a state that changes more is lost")] = 2.0,
    compliance: Compliance = None,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    origin: Origin = None,
    by: By = None,
    export: Export = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Fit how states that are only read drift with time."""
    from nanogap.measured import retention_campaign

    common.check_figure(output)
    check_grouping(by, export, {})
    data = common.data_files(
        files,
        series_resistance,
        series_uncertainty,
        pristine,
        columns,
        sampling_rate=sampling_rate,
        origin=origin,
    )
    data = replace(data, compliance=compliance)
    with common.counted_files("Retention", data) as watched:
        result = retention_campaign(watched, tolerance, by=by)
        content = result.summary()
    if output is not None and not save_grouping(content, output):
        from nanogap.measured import drawing

        common.save(drawing.draw_retention(result), output)
    common.tell(content.synthetic, content.notes)
    tell_grouping(content.by, export, silent=as_json)
    if as_json:
        common.emit(content)
        return
    rows = [
        (
            row.file,
            f"{row.conductance_after_one_second:.4g}",
            f"{row.exponent:+.4f} ± {row.exponent_uncertainty:.4f}",
            "no" if row.lost_at is None else f"after {row.lost_at:.3g} s",
            f"{row.after_ten_years:.3g}",
        )
        for row in content.states
    ]
    names = ("file", "G at 1 s (G0)", "exponent of time", "lost", "after ten years (G0)")
    common.table("Retention", names, rows)


def breakdown(
    files: Files,
    minimum_drop: Annotated[float, typer.Option(help="least part of the current lost")] = 0.5,
    compliance: Compliance = None,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Find where pristine wires broke: voltage, current, power, resistance before and after."""
    from nanogap.measured import breakdown_campaign

    common.check_figure(output)
    data = common.data_files(files, "0", None, None, columns, sampling_rate=sampling_rate)
    data = replace(data, compliance=compliance)
    with common.counted_files("Breakdown", data) as watched:
        result = breakdown_campaign(watched, minimum_drop)
        content = result.summary()
    if output is not None:
        from nanogap.measured import drawing

        common.save(drawing.draw_breakdown(result), output)
    common.tell(content.synthetic, content.notes)
    if as_json:
        common.emit(content)
        return
    rows = [
        (
            trace.device,
            f"{wire.voltage:.3f}",
            f"{1e3 * wire.current:.3g}",
            f"{1e3 * wire.power:.3g}",
            f"{wire.resistance_before:.4g}",
            f"{wire.resistance_after:.3g}",
        )
        if wire.found
        else (trace.device, "did not break", "", "", f"{wire.resistance_before:.4g}", "")
        for trace, _, wire in result.rows
    ]
    names = ("device", "V", "mA", "mW", "ohm before", "ohm after")
    common.table(f"{content.broken} of {len(rows)} broke", names, rows)
