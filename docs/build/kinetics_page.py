"""The tables of docs/kinetics.md."""

import numpy as np

from docs.build.kinetics_runs import GAP, STRONG, TEMPERATURE, Runs, findings, mechanism, waiting
from docs.build.page_tables import head
from nanogap.analysis.filament.kinetics import Trend, WaitingTimes, event_rate, survival
from nanogap.campaign.page import with_interval


def table_of(runs: Runs) -> str:
    """Write the table of all points."""
    lines = head(
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
        lines.append(
            f"| {temperature:g} | {gap:g} | {voltage:g} | {waiting_cells(times)} "
            f"| {p_cell(event_rate(times).p_value)} |"
        )
    return "\n".join(lines)


def waiting_cells(times: WaitingTimes) -> str:
    """Write contacts and runs, median (ps) and rate (1/ns) of some runs."""
    curve, rate = survival(times), event_rate(times)
    return (
        f"{rate.events} / {len(times)} "
        f"| {with_interval(curve.median, curve.median_interval, 1.0)} "
        f"| {with_interval(rate.value, (rate.low, rate.high), 1000.0)}"
    )


def factor_cells(trend: Trend, unit: str = "") -> str:
    """Write the factor of a rate for a step of 1, its interval, and the p-value of the trend."""
    value, *ends = (np.exp(one) for one in (trend.slope, trend.low, trend.high))
    low, high = sorted(ends)
    words = (
        f"factor {value:.3g}{unit} | {low:.3g} to {high:.3g}"
        if np.isfinite(value)
        else "not determined |"
    )
    return f"{words} | {p_cell(trend.log_rank)}"


def trends_of(runs: Runs) -> str:
    """Write the table of what the rate depends on."""
    found = findings(runs)
    lines = head("what", "rate", "95 %", "log-rank p")

    def factor(name: str, words: str, unit: str) -> None:
        lines.append(f"| {words} | {factor_cells(found[name], unit)} |")

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
        lines.append(
            f"| activation energy, at {voltage:g} V | {words} | {p_cell(trend.log_rank)} |"
        )
    return "\n".join(lines)


def forces_of(runs: Runs) -> str:
    """Write the table of what electrostatics does to the starting tips."""
    lines = head(
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
    lines = head(
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
        f"| {p_cell(one['p_value'])} |"
        for name, one in found.items()
        if "contacts" in one
    ]
    gaps = found["open gaps"]
    return "\n".join(lines) + (
        f"\n\nAdatoms in the open gap of {GAP:g} Å at {TEMPERATURE:g} K, mean over the snapshots "
        "every 4 ps: "
        f"{gaps['adatoms'][0]:.2f} at 8 V of either sign ({gaps['runs'][0]} runs), "
        f"{gaps['adatoms'][1]:.2f} at 0 V "
        f"({gaps['runs'][1]} runs); p = {p_cell(gaps['p_value'])} (Mann and Whitney)."
    )


def _mean(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else "none"


def p_cell(value: float) -> str:
    """Write a p-value."""
    return f"{value:.2g}" if np.isfinite(value) else "too few"


TABLES = {
    "points": table_of,
    "trends": trends_of,
    "forces": forces_of,
    "mechanism": mechanism_of,
}
