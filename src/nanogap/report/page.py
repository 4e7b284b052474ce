"""One self-contained HTML page that tells what a run simulated and what came out."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms
from matplotlib.figure import Figure
from pydantic import BaseModel

from nanogap.io import write_text
from nanogap.report import figures, words
from nanogap.report.atoms import atom_potentials, landmark_pictures
from nanogap.report.marks import save_figure
from nanogap.report.result import Landmark, RunResult
from nanogap.report.sample import sample_figure
from nanogap.report.sections import asset, data_uri, rendered
from nanogap.report.stages import stages_figure
from nanogap.report.style import STAGE_COLOURS, house_style, png, svg
from nanogap.report.tables import write_tables
from nanogap.report.viewer import compressed_plotly, view
from nanogap.settings import Settings
from nanogap.units import CONDUCTANCE_QUANTUM

_MICRO = 1e6
#: With more snapshots than this, figures over time are pixels: a browser draws no more dots well.
_MOST_VECTORS = 3000

# what a provenance key contains that tells a duration
_TIMINGS = ("time", "(s)", "seconds", "steps/s")


def write_report(
    path: Path,
    *,
    settings: Settings,
    observables: xr.Dataset,
    transmission: xr.Dataset | None,
    spectra: xr.Dataset | None,
    frames: Sequence[tuple[int, Atoms]],
    provenance: Mapping[str, Any],
    failures: Mapping[int, str],
    planned_end: float,
    sampled: str | None = None,
    moved: xr.Dataset | None = None,
    figure_folder: Path | None = None,
) -> None:
    """Write the report of a run, finished or not.

    Parameters
    ----------
    path : Path
        The HTML file; it replaces an older one at once.
    settings : Settings
        Of the run.
    observables : xarray.Dataset
        Over ``snapshot``: the scalars of every snapshot, as the trajectory store gives them.
    transmission : xarray.Dataset or None
        ``transmission_average`` over (``snapshot``, ``energy``), G0, at energies in eV from the
        Fermi energy that contain 0; NaN where it is not known. May hold ``eigenchannels`` over
        (``snapshot``, ``channel``). None if none has been computed.
    spectra : xarray.Dataset or None
        The same over an energy window, for up to three snapshots.
    frames : sequence of (int, ase.Atoms)
        Snapshot numbers and frames for the pictures, with the landmarks among them.
    provenance : mapping
        How the run was made: names and values, which may be mappings themselves.
    failures : mapping
        Snapshot number to the reason why it has no transmission.
    planned_end : float
        Time of the last snapshot that is planned since the voltage was applied, fs.
    sampled : str, optional
        Of a fine sampling: a sentence that says of what; its fluctuation is drawn.
    moved : xarray.Dataset, optional
        ``transmission_average`` of snapshots whose cell moved, each in the cell before.
    figure_folder : Path, optional
        Gets every figure as PDF, and the numbers of its curves as CSV; it is made.
    """
    result = RunResult.gather(
        settings=settings,
        observables=observables,
        transmission=transmission,
        spectra=spectra,
        frames=frames,
        failures=failures,
        planned_end=planned_end,
        moved=moved,
    )
    drawn = _pictures(result, figure_folder, fluctuates=sampled is not None)
    if figure_folder is not None:
        write_tables(result, figure_folder)
    told = _provenance(provenance, transmission)
    page = _render(result, told, provenance.get("state"), sampled, drawn)
    write_text(path, page)


def _render(
    result: RunResult,
    provenance: list[tuple[str, list[Any]]],
    state: Any,
    sampled: str | None,
    drawn: Mapping[str, str | None],
) -> str:
    """Fill the template."""
    settings, count = result.settings, len(result.time)
    stage = result.stages[-1] if count else None
    scene = view(result)
    known = int(np.isfinite(result.transmission).sum())
    return rendered(
        "template.html.jinja",
        script=asset("unpack.js") + asset("viewer.js"),
        plotly=compressed_plotly() if scene else "",
        name=words.title(settings),
        cell_moves=int(result.cell_moved.sum()),
        moves=words.moves(result),
        headline=words.headline(settings),
        known_transmissions=words.known_transmissions(settings.structure.element),
        sampled=sampled,
        state=state or ("dynamics complete" if result.finished else "in progress or stopped"),
        simulated=words.simulated(result),
        happened=words.happened(result),
        stage=stage,
        stage_colour=STAGE_COLOURS[stage] if stage else "",
        stages_seen=[
            (item, colour) for item, colour in STAGE_COLOURS.items() if item in result.stages
        ],
        events=[
            (event.kind, f"{words.number(event.time / 1000.0)} ps", event.snapshot)
            for event in result.events
        ],
        tiles=words.key_numbers(result),
        count=count,
        charged=result.charged,
        why_no_transmission=result.why_no_transmission,
        landmarks=[_landmark_row(result, mark) for mark in result.landmarks],
        landmark_titles=", ".join(mark.title.lower() for mark in result.landmarks),
        channels=bool(result.channels),
        unbiased_start=_unbiased_start(result),
        has_close_up=figures.close_up(result) is not None,
        histogram_note=f"{known} with a known T",
        view=None if scene is None else asdict(scene),
        failures=list(_failure_rows(result)),
        sentences=words.settings_sentences(settings),
        settings_rows=list(settings_rows(settings)),
        provenance=provenance,
        **drawn,
    )


def _pictures(result: RunResult, folder: Path | None, *, fluctuates: bool) -> dict[str, str | None]:
    """Draw every figure that there is data for, as data URIs and as PDF into a folder."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Callable[[RunResult], Figure | None]] = {"pictures": landmark_pictures}
    if result.has_transmission:
        drawn["trace"] = figures.conductance_trace
        drawn["histogram"] = figures.conductance_histogram
        drawn["network"] = figures.network_against_transmission
        if fluctuates:
            drawn["fluctuation"] = lambda result: sample_figure(
                result.time * 1000.0, result.transmission
            )
    drawn["spectra"] = figures.transmission_spectra
    drawn["stages"] = stages_figure
    if len(result.time) > 1:
        drawn["geometry"] = figures.geometry_and_charge
    names = ("pictures", "stages", "trace", "fluctuation", "histogram", "network", "spectra")
    images: dict[str, str | None] = dict.fromkeys([*names, "geometry"])
    with house_style():
        for name, draw in drawn.items():
            figure = draw(result)
            if figure is not None:
                # thousands of atoms are smaller as pixels
                raster = name in ("pictures", "stages") or len(result.time) > _MOST_VECTORS
                images[name] = data_uri(png(figure) if raster else svg(figure), raster=raster)
                if folder is not None:
                    save_figure(figure, folder / f"{name}.pdf")
                del figure
                gc.collect()  # figures hold themselves, and of a long run each is tens of MB
    return images


def _landmark_row(result: RunResult, mark: Landmark) -> list[str]:
    """Cells of the table of landmarks."""
    value = float(result.transmission[mark.index])
    known = np.isfinite(value)
    row = [
        f"{mark.title} ({mark.number})",
        f"{words.number(result.time[mark.index])} ps",
        result.stages[mark.index].value,
        f"{words.number(result.series('minimax_gap')[mark.index])} Å",
        words.number(result.series("atoms_in_gap")[mark.index]),
        words.number(result.series("bottleneck_atoms")[mark.index]),
        words.transmission_text(value).removeprefix("T ").removeprefix("= "),
        f"{words.number(value * CONDUCTANCE_QUANTUM * _MICRO)} µS" if known else "not known",
    ]
    if result.channels:
        channels = result.channels.get(mark.number, np.zeros(0))
        shown = [f"{channel:.2f}" for channel in channels[:6] if channel >= 0.005]
        row.append(" + ".join(shown) or ("not known" if not len(channels) else "none above 0.005"))
    return row


def _unbiased_start(result: RunResult) -> bool:
    """Whether the first picture shows a moment before the voltage came on."""
    if not result.landmarks or not result.settings.voltage.applied:
        return False
    frame = result.frames.get(result.landmarks[0].number)
    return frame is not None and not np.abs(atom_potentials(frame)).max(initial=0.0) > 1e-3


def _failure_rows(result: RunResult) -> Iterator[tuple[int, str, str]]:
    """Snapshot number, time and reason of every failure."""
    times = dict(zip(result.numbers.tolist(), result.time.tolist(), strict=True))
    for number, reason in sorted(result.failures.items()):
        time = f"{words.number(times[number])} ps" if number in times else "not known"
        yield number, time, reason


def settings_rows(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Key, value and meaning of every setting."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from settings_rows(value, f"{prefix}{name}.")
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            yield f"{prefix}{name}", shown, field.description or ""


def _provenance(
    provenance: Mapping[str, Any], transmission: xr.Dataset | None
) -> list[tuple[str, list[Any]]]:
    """Sort what is known of the making of a run into tables: title and rows."""
    rows = list(_flat(provenance))
    timings = [row for row in rows if any(part in row[0].lower() for part in _TIMINGS)]
    attributes = dict(transmission.attrs) if transmission is not None else {}
    attributes.pop("settings", None)  # shown in full above
    return [
        ("Timing", timings),
        ("Versions and provenance", [row for row in rows if row not in timings]),
        ("Transmission data", list(_flat(attributes))),
    ]


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Flatten nested mappings to names and text."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key} · ")
        else:
            number = isinstance(value, float | np.floating) and not isinstance(value, str)
            yield f"{prefix}{key}", f"{float(value):.6g}" if number else str(value)
