"""Tables of docs/compact.md.

    # docs/data/compact-wire-statistics.json of fitted models, then all tables
    python -m docs.build.compact_page potentiation.json gap.json point-contact.json threshold.json
    # the tables alone, from docs/data
    python -m docs.build.compact_page

The models are those of the commands on the page; the other data are written by
`validation.compact_recovery` and `validation.compact_circuits`.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docs.build.page_tables import filled, head
from nanogap.cli.programs import run_main
from nanogap.compact import MODELS
from nanogap.io import write_json, write_text

DOCS = Path(__file__).resolve().parents[1]
PAGE = DOCS / "compact.md"
#: Files of the findings, by name.
DATA = {
    name: DOCS / "data" / f"compact-{name}.json"
    for name in ("recovery", "circuits", "wire-statistics")
}
#: What is kept of a file of a model.
_KEPT = ("model", "levels", "coordinates", "held_out", "cycles_fitted", "devices", "interval_over")

Findings = dict[str, Any]


def main() -> None:
    """Gather models if files are given; fill the tables."""
    if len(sys.argv) > 1:
        models = [json.loads(Path(one).read_text(encoding="utf-8")) for one in sys.argv[1:]]
        kept = [{key: one[key] for key in _KEPT} for one in models]
        write_json(DATA["wire-statistics"], {"models": kept})
    write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), TABLES, findings()))


def findings() -> Findings:
    """Read the files of the findings."""
    return {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name, path in DATA.items()
        if path.is_file()
    }


def _recovery(found: Findings) -> str:
    rows = found["recovery"]["rows"]
    lines = head("model", "trials", "coordinates held", "intervals that hold the truth")
    for name in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == name]
        known = [row for row in own if row["interval"] is not None]
        inside = sum(row["interval"][0] <= row["truth"] <= row["interval"][1] for row in known)
        held = sorted({row["coordinate"] for row in own if row["interval"] is None})
        trials = len({row["seed"] for row in own})
        names = ", ".join(f"`{one}`" for one in held) or "none"
        lines.append(f"| `{name}` | {trials} | {names} | {inside} of {len(known)} |")
    return "\n".join(lines)


def _circuits(found: Findings) -> str:
    rows = found["circuits"]["rows"]
    steps = sorted({row["step"] for row in rows if row["cycles"] == 1}, reverse=True)
    lines = head(
        "model", "simulator", *(f"loop, {step:g} s" for step in steps), "1 000 cycles: median",
        "readings off by more than 1 %",
    )  # fmt: skip
    cases = dict.fromkeys((row["model"], row["simulator"]) for row in rows)
    for model, simulator in cases:
        own = [row for row in rows if (row["model"], row["simulator"]) == (model, simulator)]
        once = {row["step"]: row for row in own if row["cycles"] == 1}
        many = next(row for row in own if row["cycles"] > 1)
        cells = [f"{100.0 * once[step]['largest']:.2g} %" for step in steps]
        cells.append(f"{100.0 * many['median']:.1g} %")
        cells.append(f"{many['above_one_percent']} of {many['readings']}")
        lines.append(f"| `{model}` | {simulator} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _statistics(found: Findings) -> str:
    lines = head(
        "model", "variance of ln G explained", "error (decades)", "in the 90 % band", "held"
    )
    for one in found["wire-statistics"]["models"]:
        held = one["held_out"]
        names = [f"`{each['name']}`" for each in one["coordinates"] if not each["determined"]]
        lines.append(
            f"| `{one['model']}` | {100.0 * held['explained']:.0f} % | {held['error']:.2f} | "
            f"{100.0 * held['inside']:.0f} % | {', '.join(names) or 'none'} |"
        )
    return "\n".join(lines)


def _distributions(found: Findings) -> str:
    lines = head("coordinate", "typical", "95 % interval", "over cycles", "over devices")
    model = found["wire-statistics"]["models"][0]
    for one in model["coordinates"]:
        unit = f" {one['unit']}" if one["unit"] else ""
        interval = one["interval"]
        told = "held" if interval is None else f"{interval[0]:.3g} to {interval[1]:.3g}{unit}"
        spreads = [
            "" if one[key] is None else f"{one[key]:.2g}"
            for key in ("cycle_spread", "device_spread")
        ]
        lines.append(
            f"| `{one['name']}` | {one['value']:.3g}{unit} | {told} | {' | '.join(spreads)} |"
        )
    return "\n".join(lines)


def _coordinates(_found: Findings) -> str:
    lines = head("model", "coordinate", "unit", "what it is")
    for name, kind in MODELS.items():
        for one in kind.coordinates:
            lines.append(f"| `{name}` | `{one.name}` | {one.unit} | {one.meaning} |")
    return "\n".join(lines)


#: Tables of the page, by the names of their marks.
TABLES: dict[str, Callable[[Findings], str]] = {
    "coordinates": _coordinates,
    "statistics": _statistics,
    "distributions": _distributions,
    "recovery": _recovery,
    "circuits": _circuits,
}


if __name__ == "__main__":
    run_main(main)
