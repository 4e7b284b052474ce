"""Thermopower of first contacts, beside what is known of few-atom contacts of Ag, Au and Cu.

Of every member of a campaign that came into contact it takes the first snapshot with bonds from tip
to tip and computes T(E), and from it conductance and thermopower at 300 K (Landauer; see
`nanogap.transport.current`):

    python -m validation.contact_thermopower first-contact-metals

It takes a minute for a contact of tips of 300 atoms, goes on where it stopped, and writes
docs/data/contact-thermopower.json, which tests/validation/test_contact_thermopower.py re-checks.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import xarray as xr
from ase import Atoms
from ase.io import read

from nanogap.analysis.filament.contact import first_contact
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.record import Entry
from nanogap.cli.programs import run_main
from nanogap.io import write_json
from nanogap.transport.of_file import TransmissionRequest, transmission_of_file

DATA = Path(__file__).resolve().parent.parent / "docs" / "data" / "contact-thermopower.json"
#: K, that of the campaign.
TEMPERATURE = 300.0
#: eV; to 14 kT on both sides. Twice as dense moves a thermopower by 0.1 uV/K.
ENERGIES = "-0.4:0.4:0.1"


def contact_frame(folder: CampaignFolder, entry: Entry) -> Atoms | None:
    """Return the first snapshot of a member with bonds from tip to tip."""
    with xr.open_dataset(folder.result_path(entry), engine="h5netcdf") as dataset:
        number = first_contact(dataset)
    if number is None:
        return None
    frames = read(folder.trajectory_path(entry), ":", format="extxyz")
    return next(frame for frame in frames if frame.info["snapshot"] == number)


def responses(frame: Atoms) -> dict[str, Any]:
    """Compute T(E), and what follows from it at a temperature, of tips in contact."""
    request = TransmissionRequest(
        cut="full", temperature=TEMPERATURE, energies=ENERGIES, junctions=[frame]
    )
    found = transmission_of_file(Path("contact"), request).dataset.isel(snapshot=0)
    return {
        "energies": found["energy"].to_numpy().round(4).tolist(),
        "transmission": found["transmission_average"].to_numpy().round(5).tolist(),
        "conductance": round(float(found["conductance"]), 5),
        "thermopower": round(1e6 * float(found["thermopower"]), 4),
    }


def main() -> None:
    """Compute the contacts that are not there yet."""
    parser = argparse.ArgumentParser(
        prog="python -m validation.contact_thermopower", description=__doc__.splitlines()[0]
    )
    parser.add_argument("campaign", type=Path, help="folder of a campaign that kept trajectories")
    parser.add_argument("--output", "-o", type=Path, default=DATA)
    arguments = parser.parse_args()
    folder = CampaignFolder(arguments.campaign)
    output: Path = arguments.output
    found = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    found.setdefault("temperature", TEMPERATURE)
    contacts = found.setdefault("contacts", {})
    for entry in folder.finished():
        if entry.key in contacts:
            continue
        frame = contact_frame(folder, entry)
        if frame is None:
            continue
        settings = folder.settings(entry)
        element, seed = settings.structure.element, settings.seed
        contacts[entry.key] = {"element": element, "seed": seed, **responses(frame)}
        write_json(output, found)
        one = contacts[entry.key]
        print(f"{element} {seed}: {one['conductance']} G0, {one['thermopower']} uV/K", flush=True)


if __name__ == "__main__":
    run_main(main)
