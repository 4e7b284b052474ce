"""The page of a measurement that goes on: curves and a histogram that grows.

It shows and changes nothing: the protocol is driven by the program that measures.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from nanogap.instruments.measuring import MeasurementRun, Progress
from nanogap.instruments.source_meter import Taken
from nanogap.live.loopback import (
    Answer,
    Page,
    PageServer,
    json_answer,
    nothing_at,
    six_digits,
    whole,
)
from nanogap.units import CONDUCTANCE_QUANTUM

#: Files of the page, by their addresses.
_FILES = {
    "/": "measuring.html",
    "/live.css": "live.css",
    "/measuring.js": "measuring.js",
    "/curves.js": "curves.js",
    "/plots.js": "plots.js",
}
#: Readings of an answer, and the longest time in which open pages are told the end, s.
_MOST_READINGS, _FAREWELL = 4000, 2.0


@dataclass(frozen=True)
class Measured:
    """Facts of a measurement that do not change.

    Attributes
    ----------
    name, protocol, unit, channel, folder : str
    planned : int
        Readings; with feedback, the largest number.
    series_resistance : float
        Subtracted for the conductance of the gap, ohm; 0 where the settings state no circuit.
    """

    name: str
    protocol: str
    unit: str
    channel: str
    folder: str
    planned: int
    series_resistance: float


def gap_conductance(voltage: float, current: float, series_resistance: float) -> float:
    """Return the conductance of the gap behind a series resistance, G0; NaN where there is none.

    Parameters
    ----------
    voltage, current : float
        V and A.
    series_resistance : float
        ohm.

    Examples
    --------
    >>> round(gap_conductance(0.1, 0.1 / (12906.4 + 500.0), 500.0), 4)
    1.0
    """
    left = voltage - current * series_resistance
    if not math.isfinite(left) or left == 0.0:
        return math.nan
    return current / left / CONDUCTANCE_QUANTUM


class MeasuringPage(Page):
    """The page of a measurement that goes on.

    Parameters
    ----------
    run : MeasurementRun
        What it has on disk is shown first.
    server : PageServer
    """

    def __init__(self, run: MeasurementRun, server: PageServer) -> None:
        super().__init__(server, _FILES)
        self._about = measured_about(run)
        self._rows: list[list[float | None]] = []
        self._end, self._told = "", set[str]()
        for taken in run.taken():
            self._add(taken)

    def __call__(self, progress: Progress) -> None:
        """Take a reading."""
        self._add(progress.point.taken)

    def _add(self, taken: Taken) -> None:
        conductance = gap_conductance(taken.voltage, taken.current, self._about.series_resistance)
        values = taken.time, taken.voltage, taken.current, conductance
        self._rows.append([*map(six_digits, values), int(taken.compliance)])

    def finish(self, sentence: str) -> None:
        """Tell the pages that are open how it ended; a short while is given them to ask."""
        self._end, until = sentence, time.monotonic() + _FAREWELL
        while self.open_pages() > len(self._told) and time.monotonic() < until:
            time.sleep(0.05)

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """Give what is new to a page: it says which readings it has."""
        if path == "/api/about":
            return json_answer(vars(self._about))
        if path != "/api/state":
            raise nothing_at(path)
        first, page = whole(query, "readings", 0), query.get("page", "")
        self.open_pages(page)
        end, rows = self._end, self._rows[first : first + _MOST_READINGS]
        if end and first + len(rows) >= len(self._rows):
            self._told.add(page)
        return json_answer({"first": first, "rows": rows, "readings": len(self._rows), "end": end})


def measured_about(run: MeasurementRun) -> Measured:
    """Gather what a page says of a measurement.

    Parameters
    ----------
    run : MeasurementRun
    """
    return Measured(
        name=run.settings.name,
        protocol=run.settings.protocol.kind,
        unit=run.address.unit,
        channel=run.address.channel,
        folder=str(run.folder),
        planned=run.plan.readings,
        series_resistance=run.series_resistance or 0.0,
    )
