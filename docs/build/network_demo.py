"""Networks of 100 wires whose junctions are fitted devices; makes docs/compact-network.md.

    python -m docs.build.network_demo MODEL.json...   # data of fitted models, figure and tables
    python -m docs.build.network_demo                 # figure and tables of the data

The models are files of `nanogap compact fit`; every junction draws a device from each.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from docs.build.network_drive import Driven, Network, Ramp, drive, module_of
from docs.build.network_figure import figure_of
from docs.build.network_findings import TABLES, WAYS, conductance_peaks, flat_parts
from docs.build.network_wires import Wires, between_electrodes, between_wires, chain, wires_cost
from docs.build.page_tables import filled
from nanogap import __version__
from nanogap.cli.programs import run_main
from nanogap.compact.file import FittedModel, read_model
from nanogap.io import write_bytes, write_json, write_text
from nanogap.report.style import house_style, png
from nanogap.units import CONDUCTANCE_QUANTUM

DOCS = Path(__file__).resolve().parents[1]
DATA = DOCS / "data" / "network-demo.json"
PAGE = DOCS / "compact-network.md"

#: What the names of files have before that of their model on the page.
PREFIX = "network-demo-"

#: Seeds of the networks and of their devices.
SEEDS = (1, 2, 3, 4, 5)
#: So many networks have typical junctions, too.
TYPICAL = 2
#: Junctions between two wires, where the network is driven between wires.
APART = 2
#: What the picture shows.
SHOWN = "electrodes"
#: 0 to 200 uA, with the voltage limit of many sources.
RAMP = Ramp(rate=1e-6, duration=200.0, readings=200, limit=20.0)


def wires_of(way: str, seed: int) -> Wires:
    """Return the wires of a seed, as they are driven: "electrodes", "wires" or "chain"."""
    if way == "chain":
        return chain(APART)
    return between_electrodes(seed) if way == "electrodes" else between_wires(seed, APART)


def network_of(fitted: FittedModel, wires: Wires, seed: int, drawn: bool) -> Network:
    """Give every junction a device of its own, or the typical one."""
    module = module_of(fitted)
    count = len(wires.ends)
    if drawn:
        device = module["draw"](np.random.default_rng(seed), count)
    else:
        device = module["Device"](np.zeros((len(fitted.mean), count)))
    return Network(wires, device, module["READ"])


def run_of(found: Driven, seed: int) -> dict[str, Any]:
    """Describe what a driven network did."""
    return {
        "conductance": rounded(found.conductance),
        "closed": found.closed[9::10].astype(int).tolist(),
        "limited_readings": int((found.voltage >= RAMP.limit).sum()),
        "imbalance": float(found.imbalance.max()),
        "path": found.path,
        "path_reading": found.path_reading,
        "closed_at_path": None
        if found.path_reading is None
        else int(found.closed[found.path_reading]),
        "plateaus": flat_parts(found.conductance, seed),
    }


def driven_by(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any] | None]:
    """Drive all networks with a model; return what the model is, the runs and the picture."""
    fitted = read_model(path)
    name = path.stem.removeprefix(PREFIX)
    about = {
        "name": name,
        "file": path.name,
        "nanogap": __version__,
        "stand_in": fitted.facts.get("stand_in"),
        "synthetic": fitted.facts.get("synthetic"),
        "devices": fitted.facts.get("devices"),
        "cycles_fitted": fitted.facts.get("cycles_fitted"),
        "levels": [float(one) for one in getattr(fitted.model, "levels", ())],
        "ends": [fitted.model.conductance(x) / CONDUCTANCE_QUANTUM for x in (0.0, 1.0)],
    }
    runs, picture = [], None
    for way, drawn, seed in product(WAYS, (True, False), SEEDS):
        if not drawn and seed > (1 if way == "chain" else TYPICAL):
            continue
        wires = wires_of(way, seed)
        found = drive(network_of(fitted, wires, seed, drawn), RAMP)
        kind = {"model": name, "way": way, "seed": seed, "drawn": drawn}
        runs.append({**kind, "junctions": len(wires.ends), **run_of(found, seed)})
        print(*kind.values(), flush=True)
        if picture is None and way == SHOWN and found.path:
            picture = picture_of(wires, found)
    return about, runs, picture


def content_of(models: list[Path]) -> dict[str, Any]:
    """Drive all networks with all models, and gather what they did."""
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(driven_by, models))
    runs = [run for _, some, _ in found for run in some]
    return {
        "units": {"conductance": "G0", "current": "A", "time": "s", "lines": "lengths of a wire"},
        "ramp": {"rate": RAMP.rate, "duration": RAMP.duration, "readings": RAMP.readings}
        | {"voltage_limit": RAMP.limit},
        "apart": APART,
        "wires_cost": wires_cost(1, CONDUCTANCE_QUANTUM),
        "models": {about["name"]: about for about, _, _ in found},
        "runs": runs,
        "peaks": conductance_peaks(runs),
        "picture": found[0][2],
    }


def picture_of(wires: Wires, found: Driven) -> dict[str, Any]:
    """Describe a network at its first path."""
    return {
        "lines": np.round(wires.lines, 3).tolist(),
        "places": np.round(wires.places, 3).tolist(),
        "conductance": rounded(found.at_path),
        "path": found.path,
        "path_reading": found.path_reading,
    }


def rounded(values: Any) -> list[float]:
    """Round to four digits."""
    return [float(f"{one:.4g}") for one in values]


def main() -> None:
    """Drive the networks if models are given; draw the figure and fill the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="*", help="of 'nanogap compact fit'")
    models = parser.parse_args().models
    if models:
        write_json(DATA, content_of(models))
    content = json.loads(DATA.read_text(encoding="utf-8"))
    with house_style():
        write_bytes(DOCS / "images" / "network-demo.png", png(figure_of(content), 110))
    if PAGE.is_file():
        write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), TABLES, content))


if __name__ == "__main__":
    run_main(main)
