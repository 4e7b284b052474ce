"""Gather the runs of kinetics campaigns into the data file."""

import json
import lzma
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read

from docs.build.kinetics_forces import forces_of_voltages
from nanogap.analysis.filament.contact import FirstContacts, first_contacts
from nanogap.campaign.collect import collect, open_ensemble
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.kinetics import FS_PER_PS
from nanogap.campaign.record import Entry
from nanogap.settings import Settings
from nanogap.structure import analyse_connection
from nanogap.structure.gap import adatom_mask


def content_of(folders: list[CampaignFolder]) -> dict[str, Any]:
    """Gather every run of some campaigns, and what electrostatics does to the starting tips."""
    runs: list[dict[str, Any]] = []
    versions: list[dict[str, str]] = []
    common = None
    for folder in folders:
        collect(folder)
        with open_ensemble(folder.dataset) as dataset:
            contacts = first_contacts(dataset)
            rows = {str(key): row for row, key in enumerate(dataset["key"].to_numpy())}
            made_by = json.loads(dataset.attrs["versions"])
            versions += [one for one in made_by if one not in versions]
        for entry in folder.finished():
            settings = folder.settings(entry)
            runs.append(_run(folder, entry, settings, contacts, rows[entry.key]))
            shared = settings.model_dump(mode="json")
            for key in ("name", "seed"):
                shared.pop(key)
            shared["structure"].pop("gap")
            shared["structure"].pop("lattice_constant")
            shared["dynamics"].pop("temperature")
            shared["voltage"].pop("applied")
            common = common or shared
            if shared != common:
                raise SystemExit(f"{folder.path}: its settings differ in more than the axes")
    runs.sort(key=lambda run: (run["temperature"], run["gap"], run["voltage"], run["seed"]))
    base = folders[0].settings(folders[0].finished()[0])
    return {
        "units": {"time": "ps", "gap": "angstrom", "temperature": "K", "voltage": "V"},
        "versions": versions,
        "settings": common,
        "forces": list(forces_of_voltages(base)),
        "runs": runs,
    }


def _run(
    folder: CampaignFolder, entry: Entry, settings: Settings, contacts: FirstContacts, row: int
) -> dict[str, Any]:
    """Describe one run: its first-contact time, and where the atoms in the gap come from."""
    made = bool(contacts.made[row])
    run: dict[str, Any] = {
        "campaign": folder.file.name,
        "gap": settings.structure.gap,
        "temperature": settings.dynamics.temperature,
        "voltage": settings.voltage.applied,
        "seed": settings.seed,
        "time": float(contacts.time[row] if made else contacts.last[row]) / FS_PER_PS,
        "contact": made,
    }
    frames = _frames(folder.trajectory_path(entry))
    run["lattice_constant"] = float(frames[0].info["lattice_constant"])
    touching = int(contacts.snapshot[row]) if made else None
    run |= _origins(frames, settings.dynamics.sampling_interval, touching)
    return run


def _frames(path: Path) -> list[Atoms]:
    found = read(StringIO(lzma.decompress(path.read_bytes()).decode()), ":", format="extxyz")
    return list(found)


def _origins(frames: list[Atoms], interval: float, contact: int | None) -> dict[str, Any]:
    """Count adatoms by the tip whose atoms they were at the start, and those of the open gap."""
    upper = frames[0].positions[:, 2] > frames[0].cell[2, 2] / 2.0
    # the dense snapshots before a contact would count its adatoms more than once
    regular = [
        frame
        for frame in frames[1:]
        if not frame.info["bottleneck_atoms"] and frame.info["time"] % interval == 0.0
    ]
    seen: dict[str, Any] = {}
    if regular:
        adatoms = [int(adatom_mask(frame).sum()) for frame in regular]
        charges = [float(np.abs(frame.get_charges()).max()) for frame in regular]
        seen["open"] = {
            "snapshots": len(regular),
            "adatoms": round(float(np.mean(adatoms)), 4),
            "largest_charge": round(float(np.mean(charges)), 4),
        }
    if contact is not None:
        touching = next(frame for frame in frames if frame.info["snapshot"] == contact)
        moved = adatom_mask(touching)
        bridge = analyse_connection(touching, 4.0).bottleneck
        seen["at_contact"] = {
            "adatoms_bottom": int((moved & ~upper).sum()),
            "adatoms_top": int((moved & upper).sum()),
            "bridge_bottom": int((~upper[bridge]).sum()),
            "bridge_top": int(upper[bridge].sum()),
        }
    return seen
