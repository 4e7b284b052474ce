"""Tables and figures of docs/ensemble.md."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from ensemble_store import ENSEMBLE, FIRST_CONTACT, TRIALS, stored

from nanogap.analysis.contact import described
from nanogap.campaign.page import draw_all
from nanogap.campaign.statistics import EnsembleStatistics, ensemble_statistics
from nanogap.io import write_atomically, write_text
from nanogap.report.style import house_style, png

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "ensemble.md"
FIGURES = ("histogram", "bottleneck", "variance")

#: Tips of the first contacts, by the width of the terrace, in words.
_TIPS = {
    3.2: "one atom each, pushed together (3.5 Å, 0 V)",
    5.0: "five atoms each (4.5 Å, 8 V)",
    10.0: "terraces of 17 atoms (5 Å, 8 V)",
}


class Findings:
    """What the stored campaigns say."""

    def __init__(self) -> None:
        self.trials = json.loads(TRIALS.read_text(encoding="utf-8"))
        self.contacts = stored(FIRST_CONTACT)
        self.statistics: EnsembleStatistics = ensemble_statistics(stored(ENSEMBLE))


def trials_of(found: Findings) -> str:
    """Write the table of what was done to the campaign."""
    time, same = found.trials["time"], found.trials["same"]
    alone = float(np.mean(time["alone_core_seconds"]))
    kills = found.trials["kill"]
    killed = " and ".join(f"{number} of a {who}" for who, number in kills["kills"].items())
    lost = f"{len(kills['given_up'])}; {len(found.trials['slurm']['given_up'])}"
    members, cores = time["members"], time["cores"]
    rows = {
        "core-time of a member alone": f"{alone:.1f} s",
        f"{members} members on {cores} cores": f"{time['wall_seconds']:.0f} s",
        f"efficiency: {alone:.1f} s · {members} / {cores} over that": (
            f"{100.0 * time['efficiency']:.0f} %"
        ),
        "conductances": str(time["points"]),
        "SIGKILL": killed,
        "members given up after the kills; on SLURM": lost,
        "variables of the three datasets that differ in a bit": (
            f"{', '.join(same['different']) or 'none'} of {same['variables']}"
        ),
    }
    return "\n".join(
        [*_head("what", "found"), *(f"| {one} | {two} |" for one, two in rows.items())]
    )


def statement_of(found: Findings) -> str:
    """Say how many peaks are significant."""
    return found.statistics.statement()


def contacts_of(found: Findings) -> str:
    """Write the table of first contacts."""
    lines = _head(
        "tips", "T (K)", "contacts / runs", "T before, G₀", "first contact, mean (95 %), G₀",
        "spread (95 %), G₀", "median, G₀", "mean of the first ps, G₀",
    )  # fmt: skip
    data = found.contacts
    width = data["structure.apex_width"].to_numpy()
    for one, words in _TIPS.items():
        lines.append(_contact_row(words, "300", data.isel(member=np.flatnonzero(width == one))))
    lines.append(_contact_row("the ensemble above (6 Å, 8 V)", "800", stored(ENSEMBLE)))
    return "\n".join(lines)


def _contact_row(words: str, temperature: str, data: xr.Dataset) -> str:
    time, bonded = data["time"].to_numpy(), data["bottleneck_atoms"].to_numpy() >= 1
    g = data["transmission"].sel(energy=0.0, method="nearest").to_numpy()
    before, first, after = [], [], []
    for row in np.flatnonzero(bonded.any(axis=1)):
        place = int(np.argmax(bonded[row]))
        first.append(g[row, place])
        if place:
            before.append(g[row, place - 1])
        later = (time[row] >= time[row, place]) & (time[row] <= time[row, place] + 1000.0)
        after.append(np.nanmean(g[row, later]))
    one = described(first)
    return (
        f"| {words} | {temperature} | {one.count} / {len(g)} | {_mean(before)} "
        f"| {one.mean:.2f} {_interval(one.mean_interval)} | {one.deviation:.2f} "
        f"{_interval(one.deviation_interval)} | {one.median:.2f} | {_mean(after)} |"
    )


def bottleneck_of(found: Findings) -> str:
    """Write the table of the conductance by the atoms in the bottleneck."""
    lines = _head(
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
    lines = _head("part", "variance, G₀²", "share (95 %)")
    for name, part in found.statistics.variance().items():
        lines.append(
            f"| {words[name]} | {part['variance']:.3f} | {100 * part['share']:.0f} % "
            f"({100 * part['low']:.0f} to {100 * part['high']:.0f}) |"
        )
    return "\n".join(lines)


def geometry_of(found: Findings) -> str:
    """Write the table of rank correlations with the geometry of the bottleneck."""
    lines = _head("atoms", *(name.replace("_", " ") for name in found.statistics.geometry))
    by = list(found.statistics.geometry.values())
    for atoms in sorted({atoms for one in by for atoms in one}):
        cells = [f"{one[atoms][0]:+.2f} ({one[atoms][1]})" if atoms in one else "" for one in by]
        lines.append(f"| {atoms} | {' | '.join(cells)} |")
    return "\n".join(lines)


TABLES: dict[str, Callable[[Findings], str]] = {
    "trials": trials_of,
    "statement": statement_of,
    "contacts": contacts_of,
    "bottleneck": bottleneck_of,
    "variance": variance_of,
    "geometry": geometry_of,
}


def filled(page: str, found: Findings) -> str:
    """Put the tables into the page, each between its marks."""
    for name, table in TABLES.items():
        begin, end = f"<!-- table {name} -->\n", f"\n<!-- end {name} -->"
        before, rest = page.split(begin)
        page = before + begin + table(found) + end + rest.split(end)[1]
    return page


def fill() -> None:
    """Write tables and figures."""
    found = Findings()
    drawn = draw_all(found.statistics)
    with house_style():
        for name in FIGURES:
            picture = png(drawn[name])
            write_atomically(
                DOCS / "images" / f"ensemble-{name}.png",
                lambda temporary, picture=picture: temporary.write_bytes(picture),
            )
    write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), found))


def _head(*cells: str) -> list[str]:
    return [f"| {' | '.join(cells)} |", "|---" * len(cells) + "|"]


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.2f}" if values else "none"


def _interval(ends: tuple[float, float]) -> str:
    return f"({ends[0]:.2f} to {ends[1]:.2f})" if np.isfinite(ends).all() else ""
