"""Data, tables and figures of docs/ensemble.md and docs/first-contact.md.

    # write docs/data/, then the tables and figures
    python -m docs.build.ensemble_page --campaigns calm first-contact first-contact-metals \
        --trials *.json
    # tables and figures of docs/data/
    python -m docs.build.ensemble_page

The folders are those of the campaigns docs/data/ensemble.toml, first-contact.toml and
first-contact-metals.toml, collected by `nanogap campaign collect`, all or some of them; the JSON
files are what validation/ensemble_trials.py found. Thermopowers are those that
validation/contact_thermopower.py wrote.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from docs.build.ensemble_store import CAMPAIGNS, TRIALS, store_campaign, store_trials, stored
from docs.build.page_tables import filled, head
from nanogap.analysis.filament.contact import described, first_contacts, member_conductances
from nanogap.campaign.page import draw_all
from nanogap.campaign.statistics import EnsembleStatistics, ensemble_statistics
from nanogap.cli.programs import run_main
from nanogap.io import write_bytes, write_text
from nanogap.report.style import BLUE, INK, ORANGE, WIDTH, house_style, png
from nanogap.transport.fitting.reference_transmissions import packaged_reference_transmissions
from nanogap.typing import FloatArray

DOCS = Path(__file__).resolve().parents[1]
FIGURES = ("histogram", "bottleneck", "variance")
THERMOPOWER = DOCS / "data" / "contact-thermopower.json"

#: Tips of the first contacts, by the width of the terrace, in words.
_TIPS = {
    3.2: "one atom each, placed 3.5 Å apart, 0 V",
    5.0: "five atoms each, 4.5 Å apart, 8 V",
    10.0: "terraces of 17 atoms, 5 Å apart, 8 V",
}
#: What is told of first contacts, see `_contacts_in`.
_CONTACTS = (
    "contacts / runs", "T before, G₀", "first contact, mean (95 %), G₀", "spread (95 %), G₀",
    "median, G₀", "mean of the first ps, G₀",
)  # fmt: skip
_OF_ENSEMBLE = "[an ensemble](ensemble.md): terraces of 17 atoms, 6 Å apart, 8 V"


class Findings:
    """The stored campaigns and their statistics."""

    def __init__(self) -> None:
        self.trials = json.loads(TRIALS.read_text(encoding="utf-8"))
        self.contacts = stored(CAMPAIGNS["first-contact"])
        self.metals = stored(CAMPAIGNS["first-contact-metals"])
        self.ensemble = stored(CAMPAIGNS["ensemble"])
        self.thermopower = json.loads(THERMOPOWER.read_text(encoding="utf-8"))
        self.statistics: EnsembleStatistics = ensemble_statistics(self.ensemble)


def trials_of(found: Findings) -> str:
    """Write the table of what was done to the campaign."""
    calm = found.trials["calm"]
    alone = float(np.mean(calm["alone_core_seconds"]))
    members, cores = calm["members"], calm["cores"]
    often, short = found.trials["killed-often"], found.trials["walltime"]
    rows = {
        "core-time of a member alone, mean of two": f"{alone:.1f} s",
        f"{members} members on {cores} cores": f"{calm['wall_seconds']:.0f} s",
        f"efficiency: {alone:.1f} s · {members} / {cores} over that": (
            f"{100.0 * calm['efficiency']:.0f} %"
        ),
        "conductances": str(calm["points"]),
        f"with {_kills(found.trials['killed'])}": _outcome(found, "killed"),
        "on SLURM, two jobs at a time": _outcome(found, "slurm"),
        f"{often['finished']} members with {_kills(often)}": _outcome(found, "killed-often"),
        f"{short['finished']} members on SLURM in jobs of 2 minutes, of which "
        f"{short['jobs_out_of_time']} ran out of time": _outcome(found, "walltime"),
    }
    return "\n".join([*head("what", "found"), *(f"| {one} | {two} |" for one, two in rows.items())])


def _kills(trial: dict[str, Any]) -> str:
    return "{member} SIGKILLs of members and {driver} of the driver".format(**trial["kills"])


def _outcome(found: Findings, folder: str) -> str:
    trial, same = found.trials[folder], found.trials["same"]
    different = ", ".join(same[folder]["different"]) or "none"
    return (
        f"{trial['finished']} finished, {len(trial['given_up'])} given up; of {same['variables']} "
        f"variables of {same[folder]['members']} members differ in a bit: {different}"
    )


def statement_of(found: Findings) -> str:
    """Say how many peaks are significant."""
    return found.statistics.statement()


def contacts_of(found: Findings) -> str:
    """Write the table of first contacts."""
    lines = head("tips", "T (K)", *_CONTACTS)
    for width, words in _TIPS.items():
        data = _of(found.contacts, "structure.apex_width", width)
        lines.append(f"| {words} | 300 | {_contacts_in(data)} |")
    lines.append(f"| {_OF_ENSEMBLE} | 800 | {_contacts_in(found.ensemble)} |")
    return "\n".join(lines)


def metals_of(found: Findings) -> str:
    """Write the table of the first contacts of tips of one atom, by metal."""
    silver = _of(found.contacts, "structure.apex_width", min(_TIPS))
    others = {metal: _of(found.metals, "structure.element", metal) for metal in ("Au", "Cu")}
    rows = {"Ag": silver, **others}.items()
    return "\n".join(
        [
            *head("metal", *_CONTACTS),
            *(f"| {metal} | {_contacts_in(data)} |" for metal, data in rows),
        ]
    )


def bonds_in_contact(found: Findings, metal: str) -> tuple[FloatArray, FloatArray]:
    """Return length (angstrom) and T (G0) of every snapshot from the first contact on."""
    data = _of(found.metals, "structure.element", metal)
    since = data["time"].to_numpy() - first_contacts(data).time[:, np.newaxis]
    g = member_conductances(data)
    kept = (since >= 0.0) & np.isfinite(g)
    return data["minimax_gap"].to_numpy()[kept], g[kept]


def draw_bonds(found: Findings) -> Figure:
    """Draw T over the length of the bond between the tips, and the dimers of PWCOND."""
    figure = Figure(figsize=(WIDTH, 0.55 * WIDTH), layout="constrained")
    axes = figure.add_subplot()
    for metal, color in (("Au", ORANGE), ("Cu", BLUE)):
        length, g = bonds_in_contact(found, metal)
        axes.plot(length, g, ".", color=color, alpha=0.5, label=f"{metal}, runs at 300 K")
        dimers = [
            (float(one.name.split()[2]), one.transmission)
            for one in packaged_reference_transmissions(metal).junctions
            if one.kind == "dimer"
        ]
        axes.plot(
            *zip(*dimers, strict=True), "D", color=color, mec=INK, label=f"{metal}, dimer by PWCOND"
        )
    axes.set(xlabel="bond between the tips (Å)", ylabel="T (G₀)", ylim=(0.0, 1.05))
    axes.legend()
    return figure


def thermopower_of(found: Findings) -> str:
    """Write the table of the thermopower of first contacts, by metal."""
    lines = head(
        "metal", "contacts", "conductance, G₀", "thermopower, mean (95 %), µV/K",
        "spread (95 %), µV/K", "least and largest, µV/K",
    )  # fmt: skip
    contacts = found.thermopower["contacts"].values()
    for metal in ("Au", "Cu"):
        values = [one["thermopower"] for one in contacts if one["element"] == metal]
        conductance = np.mean([one["conductance"] for one in contacts if one["element"] == metal])
        one = described(values)
        lines.append(
            f"| {metal} | {len(values)} | {conductance:.2f} | {one.mean:.2f} "
            f"{_interval(one.mean_interval)} | {one.deviation:.2f} "
            f"{_interval(one.deviation_interval)} | {min(values):.2f}, {max(values):.2f} |"
        )
    return "\n".join(lines)


def _of(data: xr.Dataset, setting: str, value: float | str) -> xr.Dataset:
    """Return the members with a value of a setting."""
    return data.isel(member=np.flatnonzero(data[setting].to_numpy() == value))


def _contacts_in(data: xr.Dataset) -> str:
    contacts = first_contacts(data)
    g = member_conductances(data)
    since = data["time"].to_numpy() - contacts.time[:, np.newaxis]
    before = [g[row][since[row] < 0.0][-1] for row in np.flatnonzero((since < 0.0).any(axis=1))]
    after = [
        np.nanmean(g[row][(since[row] >= 0.0) & (since[row] <= 1000.0)])
        for row in np.flatnonzero(contacts.made)
    ]
    one = described(contacts.conductance)
    return (
        f"{int(contacts.made.sum())} / {len(g)} | {_mean(before)} "
        f"| {one.mean:.2f} {_interval(one.mean_interval)} | {one.deviation:.2f} "
        f"{_interval(one.deviation_interval)} | {one.median:.2f} | {_mean(after)}"
    )


def bottleneck_of(found: Findings) -> str:
    """Write the table of the conductance by the atoms in the bottleneck."""
    lines = head(
        "atoms", "plateaus", "members", "mean (95 %), G₀", "spread of plateaus, G₀",
        "thermal, G₀", "from an integer, G₀", "Hedges' g against one less (95 %)", "Cliff's δ",
    )  # fmt: skip
    for one in found.statistics.bottleneck.classes:
        effect = (
            f"{one.effect:.2f} {_interval((one.effect_low, one.effect_high))}"
            if np.isfinite(one.effect)
            else ""
        )
        higher = f"{one.superiority:.2f}" if np.isfinite(one.superiority) else ""
        lines.append(
            f"| {one.atoms} | {one.plateaus} | {one.members} | {one.mean:.2f} "
            f"{_interval((one.mean_low, one.mean_high))} | {one.deviation:.2f} "
            f"| {one.thermal:.2f} | {one.from_integer:.2f} | {effect} | {higher} |"
        )
    return "\n".join(lines)


def variance_of(found: Findings) -> str:
    """Write the table of why the conductance varies."""
    words = {
        "bottleneck": "number of atoms in the bottleneck",
        "member": "between members with the same number",
        "plateau": "between plateaus of one member with the same number",
        "thermal": "within plateaus",
    }
    lines = head("part", "variance, G₀²", "share (95 %)")
    for name, part in found.statistics.variance().items():
        lines.append(
            f"| {words[name]} | {part.variance:.3f} | {100 * part.share:.0f} % "
            f"({100 * part.low:.0f} to {100 * part.high:.0f}) |"
        )
    return "\n".join(lines)


def geometry_of(found: Findings) -> str:
    """Write the table of rank correlations with the geometry of the bottleneck."""
    lines = head("atoms", *(name.replace("_", " ") for name in found.statistics.geometry))
    by = list(found.statistics.geometry.values())
    for atoms in sorted({atoms for one in by for atoms in one}):
        cells = [f"{one[atoms][0]:+.2f} ({one[atoms][1]})" if atoms in one else "" for one in by]
        lines.append(f"| {atoms} | {' | '.join(cells)} |")
    return "\n".join(lines)


#: Page to its tables.
TABLES: dict[str, dict[str, Callable[[Findings], str]]] = {
    "ensemble.md": {
        "trials": trials_of,
        "statement": statement_of,
        "bottleneck": bottleneck_of,
        "variance": variance_of,
        "geometry": geometry_of,
    },
    "first-contact.md": {
        "contacts": contacts_of,
        "metals": metals_of,
        "thermopower": thermopower_of,
    },
}


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.2f}" if values else "none"


def _interval(ends: tuple[float, float]) -> str:
    return f"({ends[0]:.2f} to {ends[1]:.2f})" if np.isfinite(ends).all() else "(too few)"


def main() -> None:
    """Store campaigns and trials if they are given; write tables and figures."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.build.ensemble_page", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--campaigns", type=Path, nargs="+", default=[], help="collected folders")
    parser.add_argument("--trials", type=Path, nargs="+", default=[], help="JSON files")
    arguments = parser.parse_args()
    for folder in arguments.campaigns:
        store_campaign(folder)
    if arguments.trials:
        store_trials(arguments.trials)
    found = Findings()
    drawn = draw_all(found.statistics)
    with house_style():
        for name in FIGURES:
            write_bytes(DOCS / "images" / f"ensemble-{name}.png", png(drawn[name]))
        write_bytes(DOCS / "images" / "first-contact-bonds.png", png(draw_bonds(found)))
    for name, tables in TABLES.items():
        page = DOCS / name
        write_text(page, filled(page.read_text(encoding="utf-8"), tables, found))


if __name__ == "__main__":
    run_main(main)
