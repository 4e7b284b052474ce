#!/usr/bin/env python3
"""Does voltage drive the bridging, or heat alone? Data, figure and tables of docs/kinetics.md.

    scripts/kinetics.py FOLDER...   # campaign folders: write docs/data/kinetics.json, then as below
    scripts/kinetics.py             # figure and tables from docs/data/kinetics.json

The folders are those of the campaign files docs/data/kinetics-*.toml:

    nanogap campaign run docs/data/kinetics-voltage.toml -o voltage   # and so on

Unfinished campaigns count with the members that they have.
"""

import json
import lzma
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.constants import angstrom, e, epsilon_0
from scipy.stats import binomtest, mannwhitneyu

from nanogap.analysis.kinetics import Trend, WaitingTimes, event_rate, rate_trend, survival
from nanogap.campaign.collect import collect, dataset_path, open_ensemble
from nanogap.campaign.folder import CampaignFolder, Entry
from nanogap.campaign.kinetics import FS_PER_PS
from nanogap.campaign.kinetics_section import with_interval
from nanogap.dynamics.electrochemistry import MetalNetwork
from nanogap.dynamics.engine import Engine
from nanogap.dynamics.forcefield import load_force_field
from nanogap.io import write_json, write_text
from nanogap.report.kinetics import draw_survival
from nanogap.report.style import BLUE, INK, ORANGE, house_style, png
from nanogap.run.driver import build_structure
from nanogap.settings import Settings
from nanogap.structure import analyse_connection
from nanogap.structure.gap import adatom_mask
from nanogap.structure.tips import nearest_neighbour_distance
from nanogap.units import BOLTZMANN

DOCS = Path(__file__).resolve().parent.parent / "docs"
DATA = DOCS / "data" / "kinetics.json"
PAGE = DOCS / "kinetics.md"

#: What a run is known by, besides its seed: setting and name in the data file.
AXES = {
    "structure.gap": "gap",
    "dynamics.temperature": "temperature",
    "voltage.applied": "voltage",
}
#: The point that every axis goes through, Å and K.
GAP, TEMPERATURE = 6.0, 800.0
STRONG = 8.0
#: Gaps at which the pull of the strong voltage is measured besides, Å.
OTHER_GAPS = (5.0, 6.5, 7.5, 8.3, 12.0, 20.0)

#: Vacuum permittivity, e/(V Å).
EPSILON = epsilon_0 * angstrom / e
#: One eV/Å³ in GPa.
GIGAPASCAL = e / angstrom**3 / 1e9


def content_of(folders: list[CampaignFolder]) -> dict[str, Any]:
    """Gather every run of some campaigns, and what electrostatics does to the starting tips."""
    runs: list[dict[str, Any]] = []
    versions: list[dict[str, str]] = []
    common = None
    for folder in folders:
        collect(folder)
        with open_ensemble(dataset_path(folder)) as dataset:
            members = {
                str(key): dataset.isel(member=row).load()
                for row, key in enumerate(dataset["key"].to_numpy())
            }
        for entry in folder.finished():
            settings = folder.settings(entry)
            runs.append(_run(folder, entry, settings, members[entry.key]))
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
        with open_ensemble(dataset_path(folder)) as dataset:
            made_by = json.loads(dataset.attrs["versions"])
            versions += [one for one in made_by if one not in versions]
    runs.sort(key=lambda run: (run["temperature"], run["gap"], run["voltage"], run["seed"]))
    base = folders[0].settings(folders[0].finished()[0])
    return {
        "units": {"time": "ps", "gap": "angstrom", "temperature": "K", "voltage": "V"},
        "versions": versions,
        "settings": common,
        "forces": list(_forces(base)),
        "runs": runs,
    }


def _run(folder: CampaignFolder, entry: Entry, settings: Settings, member: Any) -> dict[str, Any]:
    """Describe one run: its first-contact time, and where the atoms in the gap come from."""
    time, bonded = member["time"].to_numpy(), member["bottleneck_atoms"].to_numpy() >= 1
    there = np.isfinite(time)
    place = int(np.flatnonzero(bonded & there)[0]) if (bonded & there).any() else None
    last = int(np.flatnonzero(there)[-1])
    run: dict[str, Any] = {
        "campaign": folder.file.name,
        "gap": settings.structure.gap,
        "temperature": settings.dynamics.temperature,
        "voltage": settings.voltage.applied,
        "seed": settings.seed,
        "time": float(time[last if place is None else place]) / FS_PER_PS,
        "contact": place is not None,
    }
    frames = _frames(folder.trajectory_path(entry))
    run["lattice_constant"] = float(frames[0].info["lattice_constant"])
    run |= _origins(frames, settings.dynamics.sampling_interval, contact=place is not None)
    return run


def _frames(path: Path) -> list[Atoms]:
    found = read(StringIO(lzma.decompress(path.read_bytes()).decode()), ":", format="extxyz")
    return list(found)


def _origins(frames: list[Atoms], interval: float, *, contact: bool) -> dict[str, Any]:
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
    if contact:
        touching = next(frame for frame in frames if frame.info["bottleneck_atoms"])
        adatoms = adatom_mask(touching)
        bridge = analyse_connection(touching, 4.0).bottleneck
        seen["at_contact"] = {
            "adatoms_bottom": int((adatoms & ~upper).sum()),
            "adatoms_top": int((adatoms & upper).sum()),
            "bridge_bottom": int((~upper[bridge]).sum()),
            "bridge_top": int(upper[bridge].sum()),
        }
    return seen


def _forces(settings: Settings) -> Iterator[dict[str, float]]:
    """Measure the pull of a voltage on starting tips, against voltage and against gap."""
    yield from _pulls(settings, (1.0, 2.0, 4.0, STRONG, -STRONG))
    for gap in OTHER_GAPS:
        structure = settings.structure.model_copy(update={"gap": gap})
        yield from _pulls(settings.model_copy(update={"structure": structure}), (STRONG,))


def _pulls(settings: Settings, voltages: tuple[float, ...]) -> Iterator[dict[str, float]]:
    """Measure forces less those at 0 V, on the perfect lattice, beside those of plates."""
    tips = build_structure(settings)
    upper = tips.positions[:, 2] > tips.cell[2, 2] / 2.0
    terrace = upper & (tips.positions[:, 2] < tips.info["top_terrace"] + 0.1)
    network = MetalNetwork.from_positions(
        tips.positions, tips.arrays["electrode"], settings.voltage.cutoff
    )
    bond = nearest_neighbour_distance(tips.info["lattice_constant"])
    area = float(terrace.sum() * np.sqrt(0.75) * bond**2)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        force_field = load_force_field(settings.structure.element)
        engine = Engine(tips, settings.dynamics, force_field, Path(folder), seed=1)
        engine.save(Path(folder) / "start")
        for voltage in (0.0, *voltages):
            engine.load(Path(folder) / "start")
            engine.set_potential(network.steady(np.zeros(len(tips)), voltage))
            engine.advance(0)
            found[voltage] = engine.forces, engine.charges
        engine.close()
    for voltage in voltages:
        forces, charges = found[voltage]
        pull = -(forces - found[0.0][0])[:, 2]  # of the top tip, towards the bottom one
        field = voltage / settings.structure.gap
        row = {
            "charge_top": charges[upper].sum(),
            "plate_charge": EPSILON * field * area,
            "pull": pull[upper].sum(),
            "plate_pull": EPSILON * field**2 / 2.0 * area,
            "pull_on_terrace_atom": pull[terrace].mean(),
            "plate_pressure": EPSILON * field**2 / 2.0 * GIGAPASCAL,
        }
        yield {
            "voltage": voltage,
            "gap": settings.structure.gap,
            **{name: float(f"{value:.6g}") for name, value in row.items()},
        }


class Runs:
    """The runs of the data file.

    Parameters
    ----------
    content : dict
        Of the data file.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.all: list[dict[str, Any]] = content["runs"]

    def where(self, **wanted: Any) -> list[dict[str, Any]]:
        """Find runs with some values of the axes; a tuple allows several."""
        return [
            run
            for run in self.all
            if all(
                run[key] in value if isinstance(value, tuple) else run[key] == value
                for key, value in wanted.items()
            )
        ]

    def points(self) -> dict[tuple[float, float, float], list[dict[str, Any]]]:
        """Group runs by temperature, gap and voltage, in order."""
        found: dict[tuple[float, float, float], list[dict[str, Any]]] = {}
        for run in self.all:
            found.setdefault((run["temperature"], run["gap"], run["voltage"]), []).append(run)
        return dict(sorted(found.items()))


def waiting(runs: list[dict[str, Any]]) -> WaitingTimes:
    """Take the waiting times of runs, ps; tips that touched before the voltage are left out."""
    waited = [run for run in runs if run["time"] > 0.0]
    return WaitingTimes([run["time"] for run in waited], [run["contact"] for run in waited])


def findings(runs: Runs) -> dict[str, Trend]:
    """Compute the trends that the page states."""
    axis = runs.where(gap=GAP, temperature=TEMPERATURE)
    found = {"voltage": _trend(axis, lambda run: abs(run["voltage"]))}
    square = _trend(axis, lambda run: run["voltage"] ** 2)
    found["voltage squared"] = square
    both = [run for run in axis if abs(run["voltage"]) == STRONG]
    for name, some in (
        ("voltage at 5 Å", runs.where(gap=5.0, temperature=TEMPERATURE)),
        ("voltage at 1000 K", runs.where(gap=GAP, temperature=1000.0)),
    ):
        found[name] = _trend(some, lambda run: float(abs(run["voltage"]) == STRONG))
    found["polarity"] = _trend(both, lambda run: float(run["voltage"] > 0.0))
    for voltage in (0.0, STRONG):
        some = runs.where(temperature=TEMPERATURE, voltage=voltage)
        found[f"gap at {voltage:g} V"] = _trend(some, lambda run: run["gap"])
        some = runs.where(gap=GAP, voltage=voltage)
        found[f"temperature at {voltage:g} V"] = _trend(
            some, lambda run: 1.0 / (BOLTZMANN * run["temperature"])
        )
    return found


def _trend(runs: list[dict[str, Any]], number: Any) -> Trend:
    waited = [run for run in runs if run["time"] > 0.0]
    return rate_trend(waiting(runs), [number(run) for run in waited])


def mechanism(runs: Runs) -> dict[str, Any]:
    """Count where the atoms of bridges come from, and the adatoms before the contact."""
    counted: dict[str, Any] = {}
    for name, voltages in (("8 V, either sign", (STRONG, -STRONG)), ("0 V", (0.0,))):
        made = [run for run in runs.where(voltage=voltages) if "at_contact" in run]
        tally: Counter[str] = Counter()
        adatoms = []
        for run in made:
            seen = run["at_contact"]
            # at 0 V the top stands for the anode: nothing but chance tells them apart
            anode, cathode = ("top", "bottom") if run["voltage"] >= 0.0 else ("bottom", "top")
            tally["anode"] += seen[f"adatoms_{anode}"]
            tally["cathode"] += seen[f"adatoms_{cathode}"]
            difference = seen[f"adatoms_{anode}"] - seen[f"adatoms_{cathode}"]
            tally["more from anode"] += difference > 0
            tally["more from cathode"] += difference < 0
            adatoms.append(seen["adatoms_top"] + seen["adatoms_bottom"])
        decided = tally["more from anode"] + tally["more from cathode"]
        counted[name] = {
            "contacts": len(made),
            "from_anode": tally["anode"],
            "from_cathode": tally["cathode"],
            "runs_anode": tally["more from anode"],
            "runs_cathode": tally["more from cathode"],
            "p_value": float(binomtest(tally["more from anode"], decided).pvalue)
            if decided
            else float("nan"),
            "adatoms": float(np.mean(adatoms)) if adatoms else float("nan"),
        }
    first, second = (
        [
            run["open"]["adatoms"]
            for run in runs.where(gap=GAP, temperature=TEMPERATURE, voltage=voltage)
            if "open" in run
        ]
        for voltage in ((STRONG, -STRONG), (0.0,))
    )
    counted["open gaps"] = {
        "runs": [len(first), len(second)],
        "adatoms": [float(np.mean(one)) if one else float("nan") for one in (first, second)],
        "p_value": float(mannwhitneyu(first, second).pvalue) if first and second else float("nan"),
    }
    return counted


def figure_of(runs: Runs) -> Figure:
    """Draw survival against voltage, and rates against voltage, gap and temperature."""
    figure = Figure(figsize=(10.0, 7.4))
    (first, second), (third, fourth) = figure.subplots(2, 2)
    axis = runs.where(gap=GAP, temperature=TEMPERATURE)
    sizes = sorted({abs(run["voltage"]) for run in axis})
    curves = []
    for size in sizes:
        times = waiting([run for run in axis if abs(run["voltage"]) == size])
        curves.append((f"{size:g} V", survival(times), float(times.time.max(initial=0.0))))
    draw_survival(first, curves)
    first.set_title(f"{GAP:g} Å, {TEMPERATURE:g} K; 8 V: both signs")

    trend = findings(runs)["voltage"]
    voltages = sorted({run["voltage"] for run in axis})
    _rates(second, voltages, [[r for r in axis if r["voltage"] == v] for v in voltages], INK)
    second.set_xlabel("voltage (V)")
    second.set_title(
        f"rate: factor {np.exp(trend.slope):.2f} per volt "
        f"({np.exp(trend.low):.2f} to {np.exp(trend.high):.2f})"
    )
    for voltage, colour in ((STRONG, ORANGE), (0.0, BLUE)):
        some = runs.where(temperature=TEMPERATURE, voltage=voltage)
        gaps = sorted({run["gap"] for run in some})
        shift = 0.03 if voltage else -0.03
        _rates(
            third,
            [gap + shift for gap in gaps],
            [[r for r in some if r["gap"] == gap] for gap in gaps],
            colour,
            f"{voltage:g} V",
        )
        some = runs.where(gap=GAP, voltage=voltage)
        kelvins = sorted({run["temperature"] for run in some})
        _rates(
            fourth,
            [1000.0 / one + shift / 4.0 for one in kelvins],
            [[r for r in some if r["temperature"] == one] for one in kelvins],
            colour,
            f"{voltage:g} V",
        )
    third.set_xlabel("gap (Å)")
    third.set_title(f"{TEMPERATURE:g} K")
    third.legend()
    fourth.set_xlabel("1000 K / temperature")
    fourth.set_title(f"{GAP:g} Å")
    fourth.legend()
    return figure


def _rates(
    axes: Axes,
    places: list[float],
    groups: list[list[dict[str, Any]]],
    colour: str,
    label: str | None = None,
) -> None:
    """Draw rates with their intervals; an upper limit where there was no contact."""
    for place, group in zip(places, groups, strict=True):
        rate = event_rate(waiting(group))
        low, middle, high = (1000.0 * value for value in (rate.low, rate.value, rate.high))
        if rate.events:
            axes.errorbar(
                [place],
                [middle],
                yerr=[[middle - low], [high - middle]],
                fmt="o",
                color=colour,
                capsize=4,
                label=label,
            )
        else:
            axes.errorbar(
                [place],
                [high],
                yerr=[[0.6 * high], [0.0]],
                uplims=True,
                fmt="_",
                color=colour,
                capsize=3,
                label=label,
            )
        label = None
    axes.set_yscale("log")
    axes.set_ylabel("first contacts (1/ns)")


def table_of(runs: Runs) -> str:
    """Write the table of all points."""
    lines = _head(
        "temperature (K)",
        "gap (Å)",
        "voltage (V)",
        "contacts / runs",
        "median (ps)",
        "rate (1/ns)",
        "constant rate: p",
    )
    for (temperature, gap, voltage), group in runs.points().items():
        times = waiting(group)
        curve, rate = survival(times), event_rate(times)
        lines.append(
            f"| {temperature:g} | {gap:g} | {voltage:g} | {rate.events} / {len(times)} "
            f"| {with_interval(curve.median, curve.median_interval, 1.0)} "
            f"| {with_interval(rate.value, (rate.low, rate.high), 1000.0)} "
            f"| {_p(rate.p_value)} |"
        )
    return "\n".join(lines)


def trends_of(runs: Runs) -> str:
    """Write the table of what the rate depends on."""
    found = findings(runs)
    lines = _head("what", "rate", "95 %", "log-rank p")

    def factor(name: str, words: str, unit: str, step: float = 1.0) -> None:
        trend = found[name]
        value, *ends = (np.exp(step * one) for one in (trend.slope, trend.low, trend.high))
        low, high = sorted(ends)
        lines.append(
            f"| {words} | "
            + (
                f"factor {value:.3g}{unit} | {low:.3g} to {high:.3g}"
                if np.isfinite(value)
                else "not determined |"
            )
            + f" | {_p(trend.log_rank)} |"
        )

    factor("voltage", "size of the voltage", " per volt")
    factor("voltage at 5 Å", "8 V against 0 V, at 5 Å", "")
    factor("voltage at 1000 K", "8 V against 0 V, at 1000 K", "")
    factor("polarity", "8 V against -8 V", "")
    for voltage in (0.0, STRONG):
        factor(f"gap at {voltage:g} V", f"gap, at {voltage:g} V", " per Å")
    for voltage in (0.0, STRONG):
        trend = found[f"temperature at {voltage:g} V"]
        words = (
            f"{-trend.slope:.2f} eV | {-trend.high:.2f} to {-trend.low:.2f}"
            if np.isfinite(trend.slope)
            else "not determined |"
        )
        lines.append(f"| activation energy, at {voltage:g} V | {words} | {_p(trend.log_rank)} |")
    return "\n".join(lines)


def forces_of(runs: Runs) -> str:
    """Write the table of what electrostatics does to the starting tips."""
    lines = _head(
        "voltage (V)",
        "gap (Å)",
        "charge of the top tip (e)",
        "of plates (e)",
        "pull on the top tip (eV/Å)",
        "of plates (eV/Å)",
        "on a terrace atom (eV/Å)",
        "pressure of plates (GPa)",
    )
    lines += [
        f"| {row['voltage']:g} | {row['gap']:g} | {row['charge_top']:.2f} "
        f"| {row['plate_charge']:.2f} | {row['pull']:.4f} | {row['plate_pull']:.4f} "
        f"| {row['pull_on_terrace_atom']:.4f} | {row['plate_pressure']:.3f} |"
        for row in runs.content["forces"]
    ]
    return "\n".join(lines)


def mechanism_of(runs: Runs) -> str:
    """Write the table of where the atoms in the gap come from."""
    found = mechanism(runs)
    lines = _head(
        "at the first contact",
        "runs",
        "adatoms, mean",
        "from the anode",
        "from the cathode",
        "runs with more from anode / cathode",
        "p",
    )
    lines += [
        f"| {name} | {one['contacts']} | {_mean(one['adatoms'])} | {one['from_anode']} "
        f"| {one['from_cathode']} | {one['runs_anode']} / {one['runs_cathode']} "
        f"| {_p(one['p_value'])} |"
        for name, one in found.items()
        if "contacts" in one
    ]
    gaps = found["open gaps"]
    return "\n".join(lines) + (
        f"\n\nAdatoms in the open gap of {GAP:g} Å at {TEMPERATURE:g} K, mean over the snapshots "
        "every 4 ps: "
        f"{gaps['adatoms'][0]:.2f} at 8 V of either sign ({gaps['runs'][0]} runs), "
        f"{gaps['adatoms'][1]:.2f} at 0 V "
        f"({gaps['runs'][1]} runs); p = {_p(gaps['p_value'])} (Mann and Whitney)."
    )


def _head(*cells: str) -> list[str]:
    """Begin a table."""
    return [f"| {' | '.join(cells)} |", "|---" * len(cells) + "|"]


def _mean(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else "none"


def _p(value: float) -> str:
    return f"{value:.2g}" if np.isfinite(value) else "too few"


TABLES = {
    "points": table_of,
    "trends": trends_of,
    "forces": forces_of,
    "mechanism": mechanism_of,
}


def filled(page: str, runs: Runs) -> str:
    """Put the tables into the page, each between its marks."""
    for name, table in TABLES.items():
        begin, end = f"<!-- table {name} -->\n", f"\n<!-- end {name} -->"
        before, rest = page.split(begin)
        page = before + begin + table(runs) + end + rest.split(end)[1]
    return page


def main() -> None:
    """Gather runs if folders are given; draw the figure and fill the tables."""
    if len(sys.argv) > 1:
        write_json(DATA, content_of([CampaignFolder(Path(one)) for one in sys.argv[1:]]))
    runs = Runs(json.loads(DATA.read_text(encoding="utf-8")))
    with house_style():
        (DOCS / "images" / "kinetics.png").write_bytes(png(figure_of(runs)))
    if PAGE.is_file():
        write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), runs))
    for name, trend in findings(runs).items():
        print(f"{name}: {trend}")
    print(json.dumps(mechanism(runs), indent=1))


if __name__ == "__main__":
    main()
