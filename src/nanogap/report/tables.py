"""The numbers of the curves of a report, as tables."""

from pathlib import Path

import xarray as xr

from nanogap.io.atomic import write_csv
from nanogap.observables import OBSERVABLES
from nanogap.report.figures import histogram_of
from nanogap.report.result import RunResult
from nanogap.report.words import value_or_none


def write_tables(result: RunResult, folder: Path) -> None:
    """Write the numbers of every curve of a report as CSV into a folder.

    Parameters
    ----------
    result : RunResult
    folder : Path
        Gets ``snapshots.csv`` (T, stage and observables over time), ``histogram.csv`` where a
        transmission is known, and ``spectra.csv`` where there are spectra.
    """
    write_csv(folder / "snapshots.csv", _snapshots(result))
    if result.has_transmission:
        write_csv(folder / "histogram.csv", _histogram(result))
    if result.spectra is not None and result.spectra.sizes.get("snapshot", 0):
        write_csv(folder / "spectra.csv", _spectra(result.spectra))


def _histogram(result: RunResult) -> list[tuple[object, ...]]:
    """Time spent in every bin of conductance."""
    histogram = histogram_of(result)
    bins = zip(histogram.edges[:-1], histogram.edges[1:], histogram.counts, strict=True)
    return [("from_G0", "to_G0", "time_ps"), *(tuple(map(float, one)) for one in bins)]


def _spectra(spectra: xr.Dataset) -> list[tuple[object, ...]]:
    """T(E) of every snapshot that has one."""
    values = spectra["transmission_average"].transpose("energy", "snapshot").to_numpy()
    numbers = spectra["snapshot"].to_numpy()
    head = ("energy_eV", *(f"transmission_of_snapshot_{number}_G0" for number in numbers))
    rows = zip(spectra["energy"].to_numpy(), values, strict=True)
    return [head, *((float(energy), *map(value_or_none, row)) for energy, row in rows)]


def _snapshots(result: RunResult) -> list[tuple[object, ...]]:
    """T, stage and observables of every snapshot, below their names and units."""
    stored = [name for name in OBSERVABLES if name in result.observables and name != "time"]
    head = (
        "snapshot",
        "time_ps",
        "transmission_G0",
        "transmission_in_cell_before_G0",
        "stage",
        *(f"{name} ({OBSERVABLES[name].unit})" for name in stored),
    )
    columns = [result.series(name) for name in stored]
    return [
        head,
        *(
            (
                int(result.numbers[index]),
                float(result.time[index]),
                value_or_none(result.transmission[index]),
                value_or_none(result.in_cell_before[index]),
                result.stages[index].value,
                *(value_or_none(column[index]) for column in columns),
            )
            for index in range(len(result.time))
        ),
    ]
