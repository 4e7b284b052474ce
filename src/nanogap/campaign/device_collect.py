"""The readings of all finished devices of a campaign as one measurement."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.record import Entry
from nanogap.errors import SettingsError
from nanogap.io import write_atomically, write_dataset
from nanogap.io.dataset import joined_files, sources_of, with_stated_resistances
from nanogap.io.results import read_dataset
from nanogap.settings.load import SettingValue

#: Attributes of a result that are of its member alone.
_OF_MEMBER = (
    "member",
    "seed",
    "points",
    "core_seconds",
    "peak_memory",
    "run_directory_bytes",
    "host",
    "versions",
    "settings",
    "series_resistance",
)

#: Columns of a table.
_COLUMNS = (
    "time",
    "voltage",
    "gap_voltage",
    "current",
    "gap_conductance",
    "cycle",
    "device",
    "compliance",
)


def write_devices(
    path: Path,
    folder: CampaignFolder,
    entries: Sequence[Entry],
    attributes: dict[str, str | int],
    watch: Callable[[int], object],
) -> None:
    """Write the readings of finished members as one measurement dataset.

    The form is that of a device directory (`nanogap.runs.device_run.DeviceRun.dataset`),
    with one source per device. Over ``source`` there are also ``key``, ``repeat``, ``seed`` and the
    axes of its member, and its ``series_resistance`` (ohm). A device is called after the campaign
    and the number of its member, from 1; members of several devices add the number of the device.

    Parameters
    ----------
    path : Path
    folder : CampaignFolder
    entries : sequence of Entry
        Of finished members, at least one.
    attributes : dict
        Of the file.
    watch : callable
        Called with the number of members read.
    """
    devices, rows = [], []
    for count, entry in enumerate(entries, 1):
        result = with_stated_resistances(read_dataset(folder.result_path(entry)))
        n_devices = int(json.loads(result.attrs["settings"])["devices"]["number"])
        for number, one in enumerate(_devices_of(result, n_devices)):
            name = f"{folder.file.name}-{entry.number + 1}"
            if n_devices > 1:
                name += f"-{number + 1}"
            rows.append(entry)
            devices.append(_numbered(one, name, len(rows)))
        watch(count)
    whole = joined_files(devices)
    whole.attrs = {key: value for key, value in whole.attrs.items() if key not in _OF_MEMBER}
    columns: dict[str, list[SettingValue]] = {
        "key": [entry.key for entry in rows],
        "repeat": [entry.repeat for entry in rows],
        **{name: [entry.axes[name] for entry in rows] for name in rows[0].axes},
    }
    columns.setdefault("seed", [entry.seed for entry in rows])
    whole = whole.assign_coords({name: ("source", _column(one)) for name, one in columns.items()})
    write_dataset(whole.assign_attrs(attributes), path)


def _devices_of(result: xr.Dataset, count: int) -> Iterator[xr.Dataset]:
    """Yield the readings of each device of a member."""
    if result.sizes["source"] != count:
        raise SettingsError("a result of a member has devices without readings: run it anew")
    yield from sources_of(result)


def _numbered(one: xr.Dataset, name: str, number: int) -> xr.Dataset:
    """Give a device its name and its number in the campaign."""
    named = one.assign_coords(
        file_name=("source", np.array([name])), device_name=("source", np.array([name]))
    )
    device = np.full(one.sizes["point"], number, dtype=np.int64)
    return named.assign(device=("point", device))


def _column(values: Sequence[SettingValue]) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    """Return the values of an axis: numbers as such, and words; lists and mixtures as JSON."""
    if all(isinstance(one, int) and not isinstance(one, bool) for one in values):
        return np.array(values, dtype=np.int64)
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return np.array(values, dtype=np.float64)
    texts = [one if isinstance(one, str) else json.dumps(one) for one in values]
    return np.array(texts, dtype=str)


def export_devices(path: Path, table: Path) -> int:
    """Write the readings of a collected campaign as a table, with the axes of each.

    Parameters
    ----------
    path : Path
        Of the measurement dataset.
    table : Path
        ``.csv`` or ``.parquet``; the latter needs the extra ``nanogap[parquet]``.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    SettingsError
        If pyarrow is not installed.
    """
    dataset = read_dataset(path)
    place = dataset["file"].to_numpy()
    frame = dataset[list(_COLUMNS)].to_dataframe()[list(_COLUMNS)]
    frame.insert(0, "device_name", dataset["device_name"].to_numpy()[place])
    for name in ("repeat", "seed", "series_resistance", *json.loads(dataset.attrs["axes"])):
        frame[name] = dataset[name].to_numpy()[place]
    if table.suffix == ".csv":
        write_atomically(table, lambda out: frame.to_csv(out, index=False))
        return len(frame)
    try:
        write_atomically(table, lambda out: frame.to_parquet(out, index=False))
    except ImportError:
        raise SettingsError(
            f"{table}: Parquet needs pyarrow: pip install 'nanogap[parquet]', or choose .csv"
        ) from None
    return len(frame)
