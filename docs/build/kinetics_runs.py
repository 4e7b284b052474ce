"""The runs of the data file, and what they say together."""

from collections import Counter
from typing import Any

import numpy as np
from scipy.stats import binomtest, mannwhitneyu

from nanogap.analysis.filament.kinetics import Trend, WaitingTimes, rate_trend
from nanogap.units import BOLTZMANN

#: The point that every axis goes through, Å and K.
GAP, TEMPERATURE = 6.0, 800.0
STRONG = 8.0


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
    found = {"voltage": trend(axis, lambda run: abs(run["voltage"]))}
    square = trend(axis, lambda run: run["voltage"] ** 2)
    found["voltage squared"] = square
    both = [run for run in axis if abs(run["voltage"]) == STRONG]
    for name, some in (
        ("voltage at 5 Å", runs.where(gap=5.0, temperature=TEMPERATURE)),
        ("voltage at 1000 K", runs.where(gap=GAP, temperature=1000.0)),
    ):
        found[name] = trend(some, lambda run: float(abs(run["voltage"]) == STRONG))
    found["polarity"] = trend(both, lambda run: float(run["voltage"] > 0.0))
    for voltage in (0.0, STRONG):
        some = runs.where(temperature=TEMPERATURE, voltage=voltage)
        found[f"gap at {voltage:g} V"] = trend(some, lambda run: run["gap"])
        some = runs.where(gap=GAP, voltage=voltage)
        found[f"temperature at {voltage:g} V"] = trend(
            some, lambda run: 1.0 / (BOLTZMANN * run["temperature"])
        )
    return found


def trend(runs: list[dict[str, Any]], number: Any, stratum: Any = lambda _run: None) -> Trend:
    """Estimate how the rate depends on a number of every run, compared within its stratum."""
    waited = [run for run in runs if run["time"] > 0.0]
    return rate_trend(waiting(runs), list(map(number, waited)), list(map(stratum, waited)))


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
