"""A breakdown in numbers, and its readings and profiles as datasets."""

import json
import math
from dataclasses import asdict, dataclass
from importlib.metadata import version

import numpy as np
import xarray as xr
from scipy.constants import nano

from nanogap.io.dataset import measurement_dataset, with_series_resistance
from nanogap.settings.wire import WireSettings
from nanogap.wire.gap import Tip
from nanogap.wire.measurement import Breakdown, Moment

_READING_UNITS = {
    "wire_voltage": ("gap_voltage", "V"),
    "resistance": ("wire_resistance", "ohm"),
    "temperature": ("temperature", "K"),
    "radius": ("radius", "m"),
}
_PROFILE_UNITS = {"positions": "m", "radii": "m", "temperature": "K", "density": "A/m^2"}


@dataclass(frozen=True)
class WireResult:
    """Outcome of a breakdown in numbers; lengths in nm.

    Attributes
    ----------
    name : str
    parted, melted : bool
        Whether it parted, and whether it reached the melting point before that or ever.
    length, diameter : float
        nm.
    contact_resistance, resistance : float
        Of each contact, and of the wire at the first reading with a voltage, ohm.
    breakdown_voltage, breakdown_current : float or None
        At the source when it parted, and the largest current before, V and A.
    current_density : float or None
        That current over the mean cross-section at the start, A/m^2.
    breakdown_time : float or None
        s.
    gap, position : float or None
        Width, and place of the neck from the cathode of a positive voltage.
    tip_radii, tip_bases, half_angles : list of float
        Of the tips towards the cathode and the anode: radius at the end, radius of the wire where
        the rounded end begins, and half angle of the flank (degrees); empty if it has not parted.
    neck_temperature : float or None
        When it parted, K.
    hottest : float
        Highest temperature at any reading or moment, K.
    volume_change : float
        Relative, from the beginning to the end.
    """

    name: str
    parted: bool
    melted: bool
    length: float
    diameter: float
    contact_resistance: float
    resistance: float
    breakdown_voltage: float | None
    breakdown_current: float | None
    current_density: float | None
    breakdown_time: float | None
    gap: float | None
    position: float | None
    tip_radii: list[float]
    tip_bases: list[float]
    half_angles: list[float]
    neck_temperature: float | None
    hottest: float
    volume_change: float


def result_of(done: Breakdown) -> WireResult:
    """Put what became of a wire into numbers.

    Parameters
    ----------
    done : Breakdown
    """
    gap, settings = done.gap, done.settings
    tips: list[Tip] = [] if gap is None else [gap.lower, gap.upper]
    known = [one.resistance for one in done.readings if math.isfinite(one.resistance)]
    return WireResult(
        name=settings.name,
        parted=gap is not None,
        melted=done.melted,
        length=settings.wire.length,
        diameter=settings.wire.diameter,
        contact_resistance=settings.surroundings.contact_resistance,
        resistance=known[0] if known else math.nan,
        breakdown_voltage=None if gap is None else done.voltage,
        breakdown_current=None if gap is None else done.current,
        current_density=None if gap is None else done.density,
        breakdown_time=None if gap is None else done.time,
        gap=None if gap is None else gap.width / nano,
        position=None if gap is None else gap.position / nano,
        tip_radii=[one.radius / nano for one in tips],
        tip_bases=[one.base / nano for one in tips],
        half_angles=[one.half_angle for one in tips],
        neck_temperature=None if gap is None else gap.temperature,
        hottest=done.hottest,
        volume_change=done.volume_change,
    )


def breakdown_dataset(done: Breakdown, number: int = 0) -> xr.Dataset:
    """Put a breakdown into a measurement dataset, with the wire at the kept moments.

    Parameters
    ----------
    done : Breakdown
    number : int
        Of the wire among several, from 0.

    Returns
    -------
    xarray.Dataset
        As `nanogap.io.dataset.measurement_dataset` makes it, with ``gap_voltage`` (V, between the
        contacts of the wire), ``wire_resistance`` (ohm), ``temperature`` (K, the highest),
        ``radius`` (m, the smallest), ``parted`` and ``device`` over ``point``; ``positions``,
        ``radii``, ``temperature_profile`` and ``density`` over ``cell``, of which ``moment_of``
        says the ``moment``; ``moment_time``, ``moment_voltage`` and ``moment_current``. The
        attributes ``result`` and ``settings`` are JSON.
    """
    rows, settings = done.readings, done.settings
    made = measurement_dataset(
        time=np.array([one.time for one in rows]),
        voltage=np.array([one.voltage for one in rows]),
        current=np.array([one.current for one in rows]),
        cycle=np.array([one.cycle for one in rows], dtype=np.int64),
        compliance=np.array([one.compliance for one in rows], dtype=bool),
        name=settings.name,
        device=settings.name,
    )
    for key, (name, unit) in _READING_UNITS.items():
        values = np.array([getattr(one, key) for one in rows])
        made[name] = ("point", values, {"units": unit})
    made["gap_voltage"].attrs["long_name"] = (
        "between the contacts of the wire; after its breakdown across the gap"
    )
    made["parted"] = ("point", np.array([one.parted for one in rows], dtype=bool))
    made["device"] = ("point", np.full(len(rows), number + 1, dtype=np.int64))
    counts = [len(one.positions) for one in done.moments]
    made["moment_of"] = ("cell", np.repeat(np.arange(len(counts)), counts).astype(np.int64))
    for key, unit in _PROFILE_UNITS.items():
        name = "temperature_profile" if key == "temperature" else key
        values = np.concatenate([getattr(one, key) for one in done.moments])
        made[name] = ("cell", values, {"units": unit})
    for key, unit in (("time", "s"), ("voltage", "V"), ("current", "A")):
        values = np.array([getattr(one, key) for one in done.moments])
        made[f"moment_{key}"] = ("moment", values, {"units": unit})
    made = made.assign_attrs(
        simulated="breakdown of a wire",
        driven=settings.protocol.cycle_segments(0)[0].quantity,
        nanogap_version=version("nanogap"),
        settings=json.dumps(settings.model_dump(mode="json")),
        result=json.dumps(asdict(result_of(done))),
    )
    return with_series_resistance(made, np.array([settings.outer_resistance]))


def readings_only(dataset: xr.Dataset) -> xr.Dataset:
    """Return what analyses of measurements take: a breakdown without moments and its own numbers.

    Parameters
    ----------
    dataset : xarray.Dataset
        By `breakdown_dataset`.
    """
    kept = dataset.drop_dims(["cell", "moment"])
    kept.attrs = {key: value for key, value in kept.attrs.items() if key != "result"}
    return kept


def stored_result(dataset: xr.Dataset) -> WireResult:
    """Return what became of the wire of a dataset by `breakdown_dataset`."""
    return WireResult(**json.loads(dataset.attrs["result"]))


def stored_settings(dataset: xr.Dataset) -> WireSettings:
    """Return the settings of the wire of a dataset by `breakdown_dataset`."""
    return WireSettings.model_validate(json.loads(dataset.attrs["settings"]))


def stored_moments(dataset: xr.Dataset) -> list[Moment]:
    """Return the wire at the kept moments of a dataset by `breakdown_dataset`."""
    place = dataset["moment_of"].to_numpy()
    return [
        Moment(
            time=float(dataset["moment_time"][number]),
            voltage=float(dataset["moment_voltage"][number]),
            current=float(dataset["moment_current"][number]),
            positions=dataset["positions"].to_numpy()[place == number],
            radii=dataset["radii"].to_numpy()[place == number],
            temperature=dataset["temperature_profile"].to_numpy()[place == number],
            density=dataset["density"].to_numpy()[place == number],
        )
        for number in range(dataset.sizes["moment"])
    ]
