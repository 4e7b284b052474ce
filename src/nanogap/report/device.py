"""One self-contained HTML page of simulated devices: curves, filament, events, what it rests on."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nanogap.electrical import charges_capacitance
from nanogap.electrical.protocols import limits
from nanogap.electrical.segments import UNLIMITED
from nanogap.io import write_text
from nanogap.io.sweeps import current_swept
from nanogap.printing import counted
from nanogap.report import device_figures as figures
from nanogap.report.device_comparison import ComparisonRow, comparison_rows
from nanogap.report.device_content import DeviceContent, OneDevice
from nanogap.report.device_switching import SwitchRow, device_switching, switch_rows
from nanogap.report.device_view import device_view
from nanogap.report.marks import resistance_text
from nanogap.report.page import settings_rows
from nanogap.report.sections import asset, data_uri, picture, rendered
from nanogap.report.style import house_style, png
from nanogap.report.viewer import compressed_plotly
from nanogap.report.words import number

#: Devices with figures of their own; a campaign of hundreds is for the commands of measured data.
MOST_DEVICES = 5

#: Readings that are not what they seem, and why.
_EXCEPTIONS = {
    "compliance": ("in compliance", "the source limits the voltage or the current"),
    "continued": (
        "conductance continued",
        "the gap is wider than Green's functions resolve: extrapolated with the decay in vacuum",
    ),
    "atoms_cut_off": (
        "atoms cut off",
        "the constriction is wider than the largest cell of the transport: it conducts more",
    ),
}


@dataclass(frozen=True)
class _Shown:
    """Figures and words of one device.

    Attributes
    ----------
    name, resistance : str
    filament, sweep : str or None
        Pictures as data URIs.
    time, events : str
    loop : bool
        Whether the sweep is one of voltage, with SET and RESET.
    switches : list of SwitchRow
        Contact beside SET and RESET, cycle by cycle; empty if the voltage was not swept.
    steps : str
        How many steps of the conductance there are, and how many have atoms on this page.
    continued : bool
        Whether some conductances were continued.
    facts : list of (str, str, str)
        Readings that are not what they seem: what, how many, why.
    """

    name: str
    resistance: str
    filament: str | None
    sweep: str | None
    time: str
    events: str
    loop: bool
    switches: list[SwitchRow]
    steps: str
    continued: bool
    facts: list[tuple[str, str, str]]


def write_device_report(path: Path, content: DeviceContent) -> None:
    """Write the report of simulated devices.

    Parameters
    ----------
    path : Path
        The HTML file; it replaces an older one at once.
    content : DeviceContent
        At least one device, each with at least one reading.
    """
    settings, shown = content.settings, content.devices[:MOST_DEVICES]
    view = device_view(content)
    given = limits(getattr(settings.protocol, "compliance", "none"))
    if any(current_swept(one.data) for one in shown):
        given = UNLIMITED  # a compliance is then one of the voltage
    with house_style():
        beside = [figures.comparison_figure, figures.comparison_trace]
        compared = [draw(shown, content.measured) for draw in beside if content.measured]
        pictures = [picture(figure) for figure in compared if figure is not None]
        devices = [_shown(one, given) for one in shown]
    protocol = settings.protocol.kind.replace("-", " ")
    page = rendered(
        "device.html.jinja",
        name=settings.name,
        state=content.state,
        headline=f"{settings.geometry.element} nanogap of "
        f"{number(settings.geometry.gap / 10.0)} nm in "
        f"{'vacuum' if settings.medium.name == 'vacuum' else 'a ' + settings.medium.name}: "
        f"{protocol}",
        happened=" ".join(_happened(one) for one in shown),
        tiles=_tiles(content),
        dropped_devices=len(content.devices) - len(shown),
        view=None if view is None else asdict(view),
        script=asset("unpack.js") + asset("device.js"),
        plotly=compressed_plotly() if view else "",
        measured=pictures,
        measured_notes=_measured_notes(content),
        compared=_compared(content),
        devices=devices,
        compliance=bool(np.isfinite(given).any()),
        parameters=content.parameters,
        making=content.making,
        settings_rows=list(settings_rows(settings)),
    )
    write_text(path, page)


def _shown(device: OneDevice, given: tuple[float, float]) -> _Shown:
    """Draw and describe one device."""
    driven = current_swept(device.data)
    moments = _moments(device)
    # thousands of atoms are smaller as pixels
    drawn = png(figures.filament_figure(moments)) if moments else None
    analysis = None if driven else device_switching(device, given)
    sweep = figures.current_figure(device) if driven else None
    if analysis is not None:
        sweep = figures.loop_figure(device, analysis)
    return _Shown(
        name=device.name,
        resistance=resistance_text(device.series_resistance),
        filament=None if drawn is None else data_uri(drawn, raster=True),
        sweep=_optional(sweep),
        time=picture(figures.time_figure(device)),
        events=picture(figures.event_figure(device)),
        loop=analysis is not None,
        switches=[] if analysis is None else switch_rows(device, analysis),
        steps=_steps_told(device),
        continued=bool(device.data["continued"].any()),
        facts=[*_facts(device), _negative(device)],
    )


def _steps_told(device: OneDevice) -> str:
    """Say how many steps of the conductance there are, and where their atoms are."""
    kept, shown = device.steps_kept, len(device.steps)
    text = counted(kept + device.steps_left_out, "step")
    if shown < kept:
        text += f", of which the {shown} largest are on this page"
    if device.steps_left_out:
        text += (
            f"; the atoms of {device.steps_left_out} were not kept, "
            "since the frames of a device have a limit"
        )
    return text


def _optional(figure: Figure | None) -> str | None:
    return None if figure is None else picture(figure)


def _moments(device: OneDevice) -> list[tuple[str, Atoms]]:
    """Choose the frames of the pictures: the first, around the first contact, the last.

    Of a device without contact, those around its largest step.
    """
    found = [] if device.first is None else [("first reading", device.first)]
    contacts = [
        one for one in device.steps if one.after.info["bridged"] and not one.before.info["bridged"]
    ]
    if contacts:
        around, name = contacts[0], "first contact"
        found += [(f"before the {name}", around.before), (name, around.after)]
    elif device.steps:
        around = max(device.steps, key=lambda one: one.size)
        found += [("before the largest step", around.before), ("after it", around.after)]
    if device.last is not None and (
        not found or device.last.info["time"] > found[-1][1].info["time"]
    ):
        found.append(("last frame", device.last))
    return found


def _happened(device: OneDevice) -> str:
    """Say in sentences what a device did."""
    bridged = device.data["bridged"].to_numpy().astype(bool)
    time = device.column("time")
    if not bridged.any():
        text = f"metal never joined the electrodes (no contact) within {number(time[-1])} s"
        return f"{device.name}: {text}."
    first = int(np.argmax(bridged))
    formed = int((np.diff(bridged.astype(int)) == 1).sum()) + int(bridged[0])
    broken = int((np.diff(bridged.astype(int)) == -1).sum())
    now = "closed" if bridged[-1] else "open"
    return (
        f"{device.name}: metal first joined the electrodes (contact) at {number(time[first])} s, "
        f"with {number(device.column('voltage')[first])} V at the source. Seen from reading to "
        f"reading contact formed {counted(formed, 'time')} and broke {counted(broken, 'time')}; "
        f"at {number(time[-1])} s the gap is {now}."
    )


def _tiles(content: DeviceContent) -> list[tuple[str, str, str]]:
    """Choose the numbers to see first: label, value, remark."""
    devices = content.devices
    readings = sum(one.data.sizes["point"] for one in devices)
    last = [float(one.column("gap_conductance")[-1]) for one in devices]
    most = max(float(np.nanmax(one.column("gap_conductance"))) for one in devices)
    end = min(float(one.column("time")[-1]) for one in devices)
    current = max(float(np.nanmax(np.abs(one.column("current")))) for one in devices)
    return [
        ("devices", str(len(devices)), counted(readings, "reading")),
        ("simulated", f"{number(end)} s", f"of {number(content.planned)} s"),
        ("conductance at the end", f"{last[0]:.3g} G₀", f"of {devices[0].name}"),
        ("largest conductance", f"{most:.3g} G₀", "of the gap, true"),
        ("largest current", f"{current * 1e6:.3g} µA", "as read"),
    ]


def _facts(device: OneDevice) -> list[tuple[str, str, str]]:
    """Count the readings that are not what they seem."""
    data, count = device.data, device.data.sizes["point"]

    def share(mask: NDArray[Any]) -> str:
        number_of = int(np.count_nonzero(mask))
        return f"{number_of} of {count} ({100.0 * number_of / count:.3g} %)"

    return [
        (title, share(data[name].to_numpy()), meaning)
        for name, (title, meaning) in _EXCEPTIONS.items()
    ]


def _negative(device: OneDevice) -> tuple[str, str, str]:
    """Count the readings whose current is against the voltage, and those that C dV/dt explains."""
    volts, amperes = device.column("voltage"), device.column("current")
    negative = volts * amperes < 0.0
    charging = negative & charges_capacitance(
        device.column("time"), device.column("gap_voltage"), amperes, device.capacitance
    )
    count, explained = int(negative.sum()), int(charging.sum())
    share = 100.0 * count / max(len(volts), 1)
    why = "no current is against the voltage"
    if count:
        why = (
            f"the current is against the voltage: in {explained} of them it is the displacement "
            f"current C dV/dt (within a factor of 2) of the {device.capacitance * 1e12:.3g} pF "
            "beside the gap, in the others noise or offset near zero; histograms leave them out"
        )
    return "conductance below 0", f"{count} of {len(volts)} ({share:.3g} %)", why


def _compared(content: DeviceContent) -> list[ComparisonRow]:
    """Compare the numbers of all devices with those of the measured files."""
    if not content.measured:
        return []
    return comparison_rows([one.data for one in content.devices], content.measured)


def _measured_notes(content: DeviceContent) -> list[str]:
    """Say what of the measured files could not be drawn, and that synthetic data are synthetic."""
    notes = []
    for one in content.measured:
        name = str(one["file_name"].to_numpy()[0])
        if "conductance" in one and not np.isfinite(one["time"]).any():
            notes.append(f"{name} holds a conductance without times and is not drawn.")
        if "synthetic" in one.attrs:
            notes.append(f"{name} is synthetic: made by a program, not measured.")
    return notes
