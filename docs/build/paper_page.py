"""The tables of docs/paper-figures.md."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from docs.build.page_tables import head
from docs.build.paper_cuts import table_of

#: The four stages of the paper.
_STAGES = ("drift", "islands", "contact", "lateral growth")

#: Gap of the paper's tips, angstrom.
PAPER_GAP = 8.3


def runs_of(content: Mapping[str, Any]) -> str:
    """Write the table of the runs."""
    lines = head(
        "run", "voltage", "gap (Å)", "seed", "simulated", "T known of", "first contact",
        "T, open gap", "largest T", "nearest tips (Å)", "most adatoms",
    )  # fmt: skip
    for run in [*content.get("paper", ()), *content.get("closer", ())]:
        known = _known(run["transmission"])
        lines.append(
            f"| {run['preset']} | {run['voltage']:g} V | {run['gap']:g} | {_seed(run)} "
            f"| {_simulated(run)} | {len(known)} snapshots | {_contact(run)} | {_open(run)} "
            f"| {_number(max(known, default=np.nan))} | {min(_known(run['tip_distance'])):.2f} "
            f"| {max(_known(run['atoms_in_gap'])):.0f} |"
        )
    return "\n".join(lines)


def numbers_of(content: Mapping[str, Any]) -> str:
    """Write what the paper's text says beside what the runs show."""
    lines = head("figure", "the paper's text", "its tips, so far", "a smaller gap")
    for name, words, ours in _FIGURES:
        cells = [ours(content.get(group, [])) for group in ("paper", "closer")]
        lines.append(f"| {name} | {words} | {' | '.join(cells)} |")
        if name == "4c":
            samples = content.get("sampled", [])
            cells = [
                _sampled([one for one in samples if (one["gap"] == PAPER_GAP) == of_paper])
                for of_paper in (True, False)
            ]
            lines.append(f"| 5c | fluctuates around ~2.5 G₀ | {' | '.join(cells)} |")
    return "\n".join(lines)


def _stages(runs: Sequence[Any]) -> str:
    if not runs:
        return "none"
    run = fullest(runs)
    first: dict[str, float] = {}
    for stage, begin, _ in run["stages"]:
        first.setdefault(stage, begin)
    seen = [f"{stage} from {first[stage]:.3g} ps" for stage in _STAGES if stage in first]
    missing = [stage for stage in _STAGES if stage not in first]
    return ", ".join(seen) + (f"; not seen: {', '.join(missing)}" if missing else "")


def _growth(runs: Sequence[Any]) -> str:
    if not runs:
        return "none"
    structures = fullest(runs)["structures"]
    return "; ".join(
        f"{place}: {_number(one['transmission'])}"
        + (f" ({one['atoms']} atom{'' if one['atoms'] == 1 else 's'})" if one["atoms"] else "")
        for place, one in enumerate(structures, start=1)
    )


def _spectra(runs: Sequence[Any]) -> str:
    found = [run["spectra"] for run in runs if run["spectra"]]
    if not found:
        return "no contact so far"
    spectra = found[0]
    energies = spectra["energy"]
    told = []
    for name in [key for key in spectra if key != "energy"]:
        values = spectra[name]
        ends = [values[energies.index(one)] for one in (min(energies), 0.0, max(energies))]
        step = np.abs(np.diff(values)).max()
        told.append(
            f"{name}: {' / '.join(map(_number, ends))} at {min(energies):g} / 0 / "
            f"{max(energies):g} eV, largest change in 0.1 eV {step:.2f}"
        )
    return "; ".join(told)


def _contacts(runs: Sequence[Any]) -> str:
    values = [run["contacts"][0] for run in runs if run["contacts"]]
    if not values:
        return f"no contact in {len(runs)} run{'' if len(runs) == 1 else 's'} so far"
    spread = f", mean {np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}" if values[1:] else ""
    return f"{', '.join(map(_number, values))}{spread} ({len(values)} of {len(runs)} runs)"


def _voltages(runs: Sequence[Any]) -> str:
    told = []
    for voltage in sorted({run["voltage"] for run in runs}):
        some = [run for run in runs if run["voltage"] == voltage]
        made = [run["first_contact"] for run in some if run["first_contact"] is not None]
        times = f": {', '.join(f'{one:.3g}' for one in made)} ps" if made else ""
        span = sum(run["simulated"] for run in some if run["first_contact"] is None)
        waited = f", {span:.0f} ps without one" if span else ""
        told.append(f"{voltage:g} V: {len(made)} of {len(some)} in contact{times}{waited}")
    return "; ".join(told) or "none"


def _sampled(samples: Sequence[Any]) -> str:
    return (
        "; ".join(
            f"{one['mean']:.2f} ± {one['deviation']:.2f} G₀ in {one['samples']} samples every "
            f"{one['every']:.0f} fs, from {one['begin']:.3g} ps on"
            for one in samples
        )
        or "none sampled"
    )


#: Number of the figure, what the text says of it, and what is said of ours.
_FIGURES: list[tuple[str, str, Callable[[Sequence[Any]], str]]] = [
    ("1i", "edge atoms drift, islands on both sides, a single atom bridges, growth", _stages),
    ("3b, 3c", "1, 2: T ≈ 0; 3: close to 1, not 1; 4 to 6: steps with the atoms", _growth),
    ("3d-f", "from -1 to 1 eV no steps: T rises continuously", _spectra),
    ("4c", "single bonds: T around 1, slightly different", _contacts),
    ("S3", "a higher voltage is faster", _voltages),
]

TABLES = {
    "runs": runs_of,
    "numbers": numbers_of,
    "cuts": lambda content: table_of(content["cuts"]),
}


def fullest(runs: Sequence[Any]) -> Any:
    """Choose the run whose figures are drawn: in contact, with the largest T."""
    return max(
        runs,
        key=lambda run: (
            run["first_contact"] is not None,
            max(_known(run["transmission"]), default=0.0),
        ),
    )


def _simulated(run: Any) -> str:
    return (
        f"{run['simulated']:.4g} ps"
        if run["finished"]
        else f"so far {run['simulated']:.4g} of {run['planned']:.4g} ps"
    )


def _seed(run: Any) -> str:
    return f"{run['seed']}, earlier engine" if run.get("earlier") else f"{run['seed']}"


def _contact(run: Any) -> str:
    return "none" if run["first_contact"] is None else f"{run['first_contact']:.3g} ps"


def _open(run: Any) -> str:
    values = [
        value
        for value, atoms in zip(run["transmission"], run["bottleneck_atoms"], strict=True)
        if value is not None and not atoms
    ]
    return _number(float(np.median(values))) if values else "none"


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _number(value: float | None) -> str:
    return "not known" if value is None or not np.isfinite(value) else f"{value:.3g}"
