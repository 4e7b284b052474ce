"""The data files of docs/ensemble.md and docs/first-contact.md."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nanogap.campaign.collect import open_ensemble
from nanogap.campaign.folder import CampaignFolder
from nanogap.errors import DataFormatError
from nanogap.io import write_atomically, write_json

DATA = Path(__file__).resolve().parents[1] / "data"
TRIALS = DATA / "ensemble.json"
#: Name of a campaign file in docs/data to what is stored of it.
CAMPAIGNS = {
    name: DATA / f"{name}.nc" for name in ("ensemble", "first-contact", "first-contact-metals")
}

#: Variables that the statistics need, and the small numbers they can be stored as.
_KEPT = {
    "transmission": np.float32,
    "time": np.float32,
    "stage": np.int8,
    "bottleneck_atoms": np.int16,
    "bottleneck_coordination": np.float32,
    "bottleneck_bond_length": np.float32,
    "minimax_gap": np.float32,  # the two older files have none
}


def store_campaign(folder: Path) -> None:
    """Write what the pages need of a campaign that was collected.

    Raises
    ------
    DataFormatError
        If it is none of `CAMPAIGNS`.
    """
    name = CampaignFolder(folder).file.name
    if name not in CAMPAIGNS:
        raise DataFormatError(
            f"{folder} is the campaign {name!r}, of which no page tells: {', '.join(CAMPAIGNS)}"
        )
    with open_ensemble(CampaignFolder(folder).dataset) as dataset:
        small = reduced(dataset.load())
    encoding = {name: {"zlib": True, "complevel": 9, "shuffle": True} for name in _KEPT}
    write_atomically(
        CAMPAIGNS[name],
        partial(small.to_netcdf, engine="h5netcdf", encoding=encoding),
    )


def store_trials(trials: list[Path]) -> None:
    """Write what was found when campaigns were killed, or sent to a cluster."""
    found: dict[str, Any] = {"same": {}}
    for trial in trials:
        content = json.loads(trial.read_text(encoding="utf-8"))
        found["same"] |= content.pop("same", {})
        found |= content
    write_json(TRIALS, found)


def reduced(dataset: xr.Dataset) -> xr.Dataset:
    """Leave out what the statistics do not need; -1 behind the last snapshot of a member."""
    small = dataset[list(_KEPT)].drop_vars(["core_seconds", "peak_memory"])
    for name, kind in _KEPT.items():
        values = small[name]
        if np.issubdtype(kind, np.integer):
            values = values.fillna(-1)
        small[name] = values.astype(kind).assign_attrs(dataset[name].attrs)
    return small


def stored(path: Path) -> xr.Dataset:
    """Read such a file as `nanogap.campaign` collects it."""
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        found = dataset.load()
    for name in _KEPT.keys() & found.keys():
        kind = _KEPT[name]
        values = found[name].astype(np.float64)
        if np.issubdtype(kind, np.integer):
            values = values.where(values >= 0)
        found[name] = values.assign_attrs(found[name].attrs)
    return found
