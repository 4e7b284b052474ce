"""One self-contained HTML page of breakdowns: curves, the wire at numbered moments, profiles."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import xarray as xr

from nanogap.printing import counted
from nanogap.report import wire_figures as figures
from nanogap.report.page import settings_rows
from nanogap.report.sections import Section, write_page
from nanogap.report.style import house_style
from nanogap.settings.wire import WireSettings
from nanogap.wire.result import WireResult, stored_result

#: Wires with figures of their own.
MOST_WIRES = 3
_NUMBERS = (
    "Numbers: the moments of the pictures below; the last of a wire that parted is that of its "
    "breakdown."
)
_LEAD = (
    "Simulated: the stationary temperature of a round wire, the current through it and its "
    "circuit, and atoms that move along its surface by electromigration, capillarity and "
    "temperature, until the thinnest place parts. Numbers called assumed in the settings are not "
    "measured."
)


def write_wire_report(
    path: Path,
    settings: WireSettings,
    parts: Sequence[xr.Dataset],
    making: Mapping[str, str],
) -> None:
    """Write the report of breakdowns.

    Parameters
    ----------
    path : Path
        The HTML file; it replaces an older one at once.
    settings : WireSettings
        Of all wires.
    parts : sequence of xarray.Dataset
        At least one, by `nanogap.wire.breakdown_dataset`.
    making : mapping of str to str
        Where the settings came from, and versions.
    """
    results = [stored_result(one) for one in parts]
    parted = sum(one.parted for one in results)
    with house_style():
        sections = [_summary(parts, results)]
        for part, result in list(zip(parts, results, strict=True))[:MOST_WIRES]:
            sections += _one(part, result)
    head, rows = ("key", "value", "meaning"), list(settings_rows(settings))
    sections.append(Section("Settings", head=head, rows=rows))
    sections.append(Section("Made with", rows=list(making.items()), head=("what", "version")))
    molten = sum(one.melted for one in results)
    notes = []
    if len(parts) > MOST_WIRES:
        more = counted(len(parts) - MOST_WIRES, "more wire")
        files = "measurement.nc and the wire-N.nc files hold them"
        notes = [f"{more} without figures here: {files}"]
    write_page(
        path,
        title=f"{settings.name}: {parted} of {counted(len(parts), 'wire')} parted",
        lead=_LEAD,
        sections=sections,
        warning=""
        if not molten
        else f"{counted(molten, 'wire')} reached the melting point: from there on the shape is "
        "that of a solid at the melting point, and the gap that of a melt which runs to both sides",
        notes=notes,
    )


def _summary(parts: Sequence[xr.Dataset], results: Sequence[WireResult]) -> Section:
    """Give the table of all wires, and the curves of several over each other."""
    head = (
        "wire", "length (nm)", "diameter (nm)", "R* (ohm)", "V (V)", "I (mA)", "j (A/m²)",
        "gap (nm)", "place (nm)", "T (K)", "molten",
    )  # fmt: skip
    rows = [
        (
            one.name, f"{one.length:.4g}", f"{one.diameter:.3g}", f"{one.contact_resistance:.3g}",
            _shown(one.breakdown_voltage), _shown(one.breakdown_current, 1e3),
            _shown(one.current_density), _shown(one.gap), _shown(one.position),
            _shown(one.neck_temperature), "yes" if one.melted else "no",
        )
        for one in results
    ]  # fmt: skip
    drawn = [figures.ensemble_figure(parts)] if len(parts) > 1 else []
    return Section(
        "In short",
        figures=drawn,
        head=head,
        rows=rows,
        caption="V, I and T: voltage at the source and temperature of the neck when the wire "
        "parted, and the largest current; j: this current over the mean cross-section at the "
        "start; place: from the cathode of a positive voltage.",
    )


def _one(part: xr.Dataset, result: WireResult) -> list[Section]:
    """Give the sections of one wire."""
    moments = figures.chosen_moments(part)
    tips = ""
    if result.parted:
        tips = (
            f" Tips towards cathode and anode: {_tip(result, 0)} and {_tip(result, 1)}; half "
            f"angles of the flanks {result.half_angles[0]:.0f} and {result.half_angles[1]:.0f} "
            "degrees."
        )
    return [
        Section(
            f"{result.name}: curve and moments",
            figures=[figures.curve_figure(part, moments), figures.shape_figure(moments)],
            caption=f"{_NUMBERS}{tips}",
        ),
        Section(
            f"{result.name}: profiles",
            figures=[figures.profile_figure(moments)],
            caption="At the numbered moments.",
        ),
    ]


def _tip(result: WireResult, place: int) -> str:
    """Say how sharp a tip is."""
    radius = result.tip_radii[place]
    # a sphere much larger than the wire is no sphere
    return "flat" if radius > 2.0 * result.diameter else f"a radius of {radius:.3g} nm"


def _shown(value: float | None, factor: float = 1.0) -> str:
    return "" if value is None else f"{factor * value:.3g}"
