"""The subcommands for measured data: arguments in, calls out."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nanogap.cli import common, synthetic
from nanogap.cli.common import AsJson, Columns, FigureFile, SamplingRate, log
from nanogap.cli.idle import refuse_idle
from nanogap.cli.measured_options import (
    AveragingTime,
    By,
    Compliance,
    Export,
    Files,
    OneFile,
    Pristine,
    Resistance,
    ResistanceError,
    check_grouping,
    save_grouping,
    tell_grouping,
)
from nanogap.cli.measured_report import level_displacement
from nanogap.cli.measured_states import breakdown, retention, switching
from nanogap.printing import counted


def register(app: typer.Typer) -> None:
    """Add the subcommands to the command line."""
    for command in (
        histogram,
        plateaus,
        switching,
        retention,
        noise,
        breakdown,
        level_displacement,
    ):
        app.command()(command)
    synthetic.register(app)


def histogram(
    files: Files,
    series_resistance: Resistance = None,
    series_uncertainty: ResistanceError = None,
    pristine: Pristine = None,
    saturated: Annotated[
        list[Path] | None,
        typer.Option(help="instead: curves of a low state that was pulled in until it saturated"),
    ] = None,
    bin_width: Annotated[
        float | None, typer.Option(help="G0, default 0.05; decades with --log, default 0.01")
    ] = None,
    maximum: Annotated[float, typer.Option(help="upper end of the range, G0")] = 10.0,
    minimum: Annotated[
        float | None, typer.Option(help="lower end with --log, G0, default 1e-6")
    ] = None,
    logarithmic: Annotated[bool, typer.Option("--log", help="bins of equal ratio")] = False,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="-o draws conductance against time since contact")
    ] = False,
    averaging_time: AveragingTime = None,
    compliance: Compliance = None,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    by: By = None,
    export: Export = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Count conductances over all cycles and devices, with and without the series resistance."""
    from nanogap.measured import histogram_campaign

    common.check_figure(output)
    if not logarithmic:
        refuse_idle({"--minimum": minimum}, "without --log: bins of equal width begin at zero")
    check_grouping(by, export, {"--aligned": aligned})
    if output is None:
        refuse_idle({"--aligned": aligned}, "without -o, whose figure it chooses")
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
    data = replace(data, compliance=compliance)
    with common.counted_files("Histogram", data) as watched:
        result = histogram_campaign(
            watched,
            bin_width=bin_width,
            maximum=maximum,
            minimum=1e-6 if minimum is None else minimum,
            scale="logarithmic" if logarithmic else "linear",
            two_dimensional=aligned,
            by=by,
        )
        content = result.summary()
    if output is not None:
        from nanogap.measured import drawing

        if by is not None:
            groups = content.by_histograms or []
            figure = drawing.draw_histogram_groups(by, groups, synthetic=content.synthetic)
        else:
            figure = drawing.draw_aligned(result) if aligned else drawing.draw_histogram(result)
        common.save(figure, output)
    common.tell(content.synthetic, content.notes)
    tell_grouping(content.by, export, silent=as_json)
    if as_json:
        common.emit(content)
        return
    from nanogap.measured.histogram_rows import level_in_words

    rows = [
        (
            f"{peak.position:.3f} ± {peak.uncertainty:.3f}",
            *level_in_words(peak.nearest_level, peak.deviation, open_gap=peak.open_gap),
            f"{peak.counts:.0f}",
        )
        for peak in content.peaks
    ]
    names = ("position", "nearest level", "deviation", "counts")
    none = "The histogram has no peak: no conductance is clearly more frequent than its neighbours."
    common.table("Peaks (G0)", names, rows, none)


def plateaus(
    files: Files,
    series_resistance: Resistance = None,
    series_uncertainty: ResistanceError = None,
    pristine: Pristine = None,
    minimum_length: Annotated[int, typer.Option(help="points of the shortest plateau")] = 8,
    minimum_step: Annotated[float, typer.Option(help="smaller steps are none, G0")] = 0.0,
    strictness: Annotated[float, typer.Option(help="multiplies the penalty per step")] = 1.0,
    compliance: Compliance = None,
    columns: Columns = None,
    file: OneFile = None,
    cycle: Annotated[int | None, typer.Option(help="-o draws this cycle")] = None,
    sampling_rate: SamplingRate = None,
    by: By = None,
    export: Export = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Cut every cycle into plateaus: levels, lengths, steps, nearest multiples of G0."""
    from nanogap.analysis.traces.plateaus import PlateauDetection
    from nanogap.measured import plateau_campaign

    common.check_figure(output)
    check_grouping(by, export, {"--file": file, "--cycle": cycle})
    if output is None:
        refuse_idle({"--file": file, "--cycle": cycle}, "without -o, whose figure it chooses")
    data = common.data_files(
        files, series_resistance, series_uncertainty, pristine, columns, sampling_rate=sampling_rate
    )
    data = replace(data, compliance=compliance)
    with common.counted_files("Plateaus", data) as watched:
        result = plateau_campaign(
            watched, PlateauDetection(minimum_length, minimum_step, strictness), by=by
        )
        content = result.summary()
    if output is not None and not save_grouping(content, output):
        from nanogap.measured import drawing

        cycles = [(trace.name, number) for trace, number, _ in result.rows]
        row = drawing.chosen_row(cycles, file, cycle)
        common.save(drawing.draw_plateaus(result, row), output)
        if len(cycles) > 1 and file is None and cycle is None:
            log.print(
                f"{output} shows the first of {len(cycles)} cycles; choose with --file and --cycle",
                soft_wrap=True,
            )
    common.tell(content.synthetic, content.notes)
    for sentence in content.skipped:
        log.print(f"skipped: {sentence}")
    tell_grouping(content.by, export, silent=as_json)
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
    title = f"{counted(content.n_plateaus, 'plateau')} in {counted(content.cycles, 'cycle')}"
    names = ("file", "cycle", "level (G0)", "σ (G0)", "points", "nearest")  # noqa: RUF001
    title += " (the first 60)" if content.n_plateaus > 60 else ""
    common.table(title, names, rows, f"There is no plateau in {counted(content.cycles, 'cycle')}.")


def noise(
    files: Files,
    interval: Annotated[
        float | None, typer.Option(help="between samples, s; default: time column")
    ] = None,
    band: Annotated[
        tuple[float, float] | None, typer.Option(help="frequencies of the fit, Hz", metavar="LO HI")
    ] = None,
    series_resistance: Resistance = None,
    pristine: Pristine = None,
    averaging_time: AveragingTime = None,
    compliance: Compliance = None,
    columns: Columns = None,
    file: OneFile = None,
    sampling_rate: SamplingRate = None,
    by: By = None,
    export: Export = None,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Analyse the fluctuations of a plateau: size, spectrum, telegraph noise."""
    from nanogap.measured import noise_campaign

    common.check_figure(output)
    check_grouping(by, export, {"--file": file})
    if output is None:
        refuse_idle({"--file": file}, "without -o, whose figure it chooses")
    if interval is not None:
        refuse_idle({"--sampling-rate": sampling_rate}, "beside --interval, which says the same")
    data = common.data_files(
        files,
        series_resistance,
        None,
        pristine,
        columns,
        averaging_time,
        sampling_rate=sampling_rate,
    )
    data = replace(data, compliance=compliance)
    with common.counted_files("Noise", data) as watched:
        result = noise_campaign(watched, interval=interval, band=band, by=by)
        content = result.summary()
    if output is not None and not save_grouping(content, output):
        from nanogap.measured import drawing

        row = drawing.chosen_row([(one.trace.name, 0) for one in result.rows], file)
        common.save(drawing.draw_noise(result.rows[row]), output)
        if len(result.rows) > 1 and file is None:
            log.print(
                f"{output} shows the first of {len(result.rows)} traces; choose with --file",
                soft_wrap=True,
            )
    common.tell(content.synthetic, content.notes)
    tell_grouping(content.by, export, silent=as_json)
    if as_json:
        common.emit(content)
        return
    rows = []
    for trace in content.traces:
        jumps = trace.telegraph
        text = "no"
        if jumps:
            low, high = jumps.dwell_times
            text = f"{jumps.amplitude:.3g} G0, {low:.3g} s and {high:.3g} s"
        rows.append(
            (
                trace.file,
                f"{trace.mean:.4g}",
                f"{100 * trace.relative:.3g} %",
                "none" if jumps else f"{trace.exponent:.2f} ± {trace.exponent_uncertainty:.2f}",
                text,
            )
        )
    names = ("file", "mean (G0)", "σ/G", "exponent", "telegraph")  # noqa: RUF001
    common.table("Fluctuations", names, rows)
