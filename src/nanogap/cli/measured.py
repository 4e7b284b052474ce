"""The subcommands for measured data: arguments in, calls out."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from nanogap.cli import common, synthetic
from nanogap.cli.common import AsJson, Columns, FigureFile, Origin, SamplingRate, log
from nanogap.errors import SettingsError

Files = Annotated[
    list[Path], typer.Argument(help="files, folders of files, run directories of nanogap run")
]
Resistance = Annotated[float, typer.Option(help="in series with every gap, ohm")]
ResistanceError = Annotated[
    float | None, typer.Option(help="its standard uncertainty, ohm; default: a fifth of it")
]
Pristine = Annotated[
    list[Path] | None,
    typer.Option(help="curves before breakdown: the series resistance of every device"),
]
AveragingTime = Annotated[
    float | None, typer.Option(help="see simulated traces through this averaging time, s")
]


def register(app: typer.Typer) -> None:
    """Add the subcommands to the command line."""
    for command in (histogram, plateaus, switching, retention, noise, breakdown):
        app.command()(command)
    synthetic.register(app)


def histogram(
    files: Files,
    series_resistance: Resistance = 0.0,
    series_uncertainty: ResistanceError = None,
    pristine: Pristine = None,
    saturated: Annotated[
        list[Path] | None,
        typer.Option(help="instead: curves of a low state that was pulled in until it saturated"),
    ] = None,
    bin_width: Annotated[float, typer.Option(help="G0; decades with --log")] = 0.05,
    maximum: Annotated[float, typer.Option(help="upper end of the range, G0")] = 10.0,
    minimum: Annotated[float, typer.Option(help="lower end with --log, G0")] = 1e-6,
    logarithmic: Annotated[bool, typer.Option("--log", help="bins of equal ratio")] = False,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="-o draws conductance against time since contact")
    ] = False,
    averaging_time: AveragingTime = None,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Count conductances over all cycles and devices, with and without the series resistance."""
    from nanogap.measured import histogram_campaign

    common.check_figure(output)
    data = common.data_files(
        files,
        series_resistance,
        series_uncertainty,
        pristine,
        columns,
        averaging_time,
        saturated,
        sampling_rate=sampling_rate,
    )
    with common.counted_files("Histogram", data) as watched:
        result = histogram_campaign(
            watched,
            bin_width=bin_width,
            maximum=maximum,
            minimum=minimum,
            scale="logarithmic" if logarithmic else "linear",
            two_dimensional=aligned,
        )
        content = result.summary()
    if output is not None:
        from nanogap.measured import drawing

        common.save(
            drawing.draw_aligned(result) if aligned else drawing.draw_histogram(result), output
        )
    common.tell(content.synthetic, content.notes)
    for name, what in (
        ("n_flagged", "gap resistance negative or smaller than its error"),
        ("n_compliance", "limited by the instrument"),
        ("n_outside", "outside the range"),
    ):
        if getattr(content, name):
            log.print(f"{getattr(content, name)} of {content.n_points} points not counted: {what}")
    if as_json:
        common.emit(content)
        return
    rows = [
        (
            f"{peak.position:.3f} ± {peak.uncertainty:.3f}",
            f"{peak.nearest_level}",
            f"{peak.deviation:+.3f}",
            f"{peak.counts:.0f}",
        )
        for peak in content.peaks
    ]
    common.table("Peaks (G0)", ("position", "nearest level", "deviation", "counts"), rows)


def plateaus(
    files: Files,
    series_resistance: Resistance = 0.0,
    series_uncertainty: ResistanceError = None,
    pristine: Pristine = None,
    minimum_length: Annotated[int, typer.Option(help="points of the shortest plateau")] = 8,
    minimum_step: Annotated[float, typer.Option(help="smaller steps are none, G0")] = 0.0,
    strictness: Annotated[float, typer.Option(help="multiplies the penalty per step")] = 1.0,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Cut every cycle into plateaus: levels, lengths, steps, nearest multiples of G0."""
    from nanogap.analysis.traces.plateaus import PlateauDetection
    from nanogap.measured import plateau_campaign

    common.check_figure(output)
    data = common.data_files(
        files, series_resistance, series_uncertainty, pristine, columns, sampling_rate=sampling_rate
    )
    with common.counted_files("Plateaus", data) as watched:
        result = plateau_campaign(
            watched, PlateauDetection(minimum_length, minimum_step, strictness)
        )
        content = result.summary()
    if output is not None:
        from nanogap.measured import drawing

        common.save(drawing.draw_plateaus(result), output)
    common.tell(content.synthetic)
    for sentence in content.skipped:
        log.print(f"skipped: {sentence}")
    if as_json:
        common.emit(content)
        return
    rows = [
        (
            row.file,
            str(row.cycle),
            f"{row.level:.3f}",
            f"{row.deviation:.3f}",
            str(row.length),
            f"{row.nearest_level} {row.offset:+.3f}",
        )
        for row in content.plateaus[:60]
    ]
    title = f"{content.n_plateaus} plateaus in {content.cycles} cycles"
    names = ("file", "cycle", "level (G0)", "σ (G0)", "points", "nearest")  # noqa: RUF001
    common.table(title + (" (the first 60)" if content.n_plateaus > 60 else ""), names, rows)


def switching(
    files: Files,
    read_voltage: Annotated[float, typer.Option(help="where the states are read, V")] = 0.4,
    minimum_ratio: Annotated[float, typer.Option(help="least ratio of an event, above 1")] = 3.0,
    method: Annotated[str, typer.Option(help="steepest, threshold or compliance")] = "steepest",
    compliance: Annotated[float | None, typer.Option(help="A; default: found")] = None,
    endurance: Annotated[
        bool, typer.Option("--endurance", help="-o draws the states over the cycles")
    ] = False,
    distribution: Annotated[
        bool, typer.Option("--distribution", help="-o draws the Weibull plot of the voltages")
    ] = False,
    series_resistance: Resistance = 0.0,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Find SET and RESET events in current-voltage loops, the two states, endurance."""
    from nanogap.measured import switching_campaign

    common.check_figure(output)
    data = common.data_files(
        files, series_resistance, None, None, columns, sampling_rate=sampling_rate
    )
    with common.counted_files("Switching", data) as watched:
        result = switching_campaign(
            watched,
            read_voltage=read_voltage,
            minimum_ratio=minimum_ratio,
            method=cast("Any", method),  # the analysis names the choices
            compliance=compliance,
        )
        content = result.summary()
    if output is not None:
        from nanogap.measured import drawing

        if distribution:
            figure = drawing.draw_weibull(result)
            if figure is None:
                raise SettingsError("there are too few events for a distribution")
        else:
            draw = drawing.draw_endurance if endurance else drawing.draw_switching
            figure = draw(result)
        common.save(figure, output)
    common.tell(content.synthetic)
    if as_json:
        common.emit(content)
        return
    rows = []
    for kind, law in (("SET", content.set_voltage), ("RESET", content.reset_voltage)):
        if law.count:
            weibull = law.weibull
            text = f"{weibull.shape:.1f}, {weibull.scale:.3g} V" if weibull else "too few"
            rows.append(
                (
                    kind,
                    str(law.count),
                    f"{law.median:.3f}",
                    f"{law.deviation:.3f}",
                    text,
                )
            )
    names = ("event", "number", "median (V)", "σ (V)", "Weibull shape, scale")  # noqa: RUF001
    common.table(f"{len(content.events)} events", names, rows)


def retention(
    files: Files,
    series_resistance: Resistance = 0.0,
    series_uncertainty: ResistanceError = None,
    pristine: Pristine = None,
    tolerance: Annotated[float, typer.Option(help="a state that changes more is lost")] = 2.0,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    origin: Origin = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Fit how states that are only read drift with time."""
    from nanogap.measured import retention_campaign

    common.check_figure(output)
    data = common.data_files(
        files,
        series_resistance,
        series_uncertainty,
        pristine,
        columns,
        sampling_rate=sampling_rate,
        origin=origin,
    )
    with common.counted_files("Retention", data) as watched:
        result = retention_campaign(watched, tolerance)
        content = result.summary()
    if output is not None:
        from nanogap.measured import drawing

        common.save(drawing.draw_retention(result), output)
    common.tell(content.synthetic)
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


def noise(
    files: Files,
    interval: Annotated[
        float | None, typer.Option(help="between samples, s; default: time column")
    ] = None,
    band: Annotated[
        tuple[float, float] | None, typer.Option(help="frequencies of the fit, Hz", metavar="LO HI")
    ] = None,
    series_resistance: Resistance = 0.0,
    pristine: Pristine = None,
    averaging_time: AveragingTime = None,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Analyse the fluctuations of a plateau: size, spectrum, telegraph noise."""
    from nanogap.measured import noise_campaign

    common.check_figure(output)
    data = common.data_files(
        files,
        series_resistance,
        None,
        pristine,
        columns,
        averaging_time,
        sampling_rate=sampling_rate,
    )
    with common.counted_files("Noise", data) as watched:
        result = noise_campaign(watched, interval=interval, band=band)
        content = result.summary()
    if output is not None:
        from nanogap.measured import drawing

        common.save(drawing.draw_noise(result.rows[0]), output)
        if len(result.rows) > 1:
            log.print(f"{output} shows the first of {len(result.rows)} traces")
    common.tell(content.synthetic)
    if as_json:
        common.emit(content)
        return
    rows = []
    for row in content.traces:
        jumps = row.telegraph
        text = "no"
        if jumps:
            low, high = jumps.dwell_times
            text = f"{jumps.amplitude:.3g} G0, {low:.3g} s and {high:.3g} s"
        rows.append(
            (
                row.file,
                f"{row.mean:.4g}",
                f"{100 * row.relative:.3g} %",
                f"{row.exponent:.2f} ± {row.exponent_uncertainty:.2f}",
                text,
            )
        )
    names = ("file", "mean (G0)", "σ/G", "exponent", "telegraph")  # noqa: RUF001
    common.table("Fluctuations", names, rows)


def breakdown(
    files: Files,
    minimum_drop: Annotated[float, typer.Option(help="least part of the current lost")] = 0.5,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Find where pristine wires broke: voltage, current, power, resistance before and after."""
    from nanogap.measured import breakdown_campaign

    common.check_figure(output)
    data = common.data_files(files, 0.0, None, None, columns, sampling_rate=sampling_rate)
    with common.counted_files("Breakdown", data) as watched:
        result = breakdown_campaign(watched, minimum_drop)
        content = result.summary()
    if output is not None:
        from nanogap.measured import drawing

        common.save(drawing.draw_breakdown(result), output)
    common.tell(content.synthetic)
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


def report_of_data(data: list[Path], output: Path, as_json: bool) -> None:
    """Write the report of a measurement campaign."""
    from nanogap.measured.page import write_measured_report

    if output.suffix.casefold() != ".html" or not output.absolute().parent.is_dir():
        raise SettingsError(f"-o {output}: the report is an .html file in a folder that exists")
    files = common.data_files(data, 0.0, None, None, None)
    with common.counted_files("Report", files) as watched:
        content = write_measured_report(watched, output)
    if as_json:
        common.emit(content)
    else:
        log.print(f"Report: {output}")
