"""The one state of a trace that is only read."""

from dataclasses import replace

import numpy as np

from nanogap.errors import DataFormatError
from nanogap.measured.classify import need_steady
from nanogap.measured.files import Trace
from nanogap.typing import BoolArray


def steady_trace(trace: Trace, analysis: str) -> Trace:
    """Return the part of a trace in which one state is read, timed from the beginning of that.

    Simulated devices say which of their readings are reads; what prepared the state is left out,
    and its last reading is time zero. Other data are taken whole.

    Parameters
    ----------
    trace : Trace
    analysis : str
        What it is for, for the refusal.

    Returns
    -------
    Trace
        Its notes say how many readings were left out.

    Raises
    ------
    DataFormatError
        If it is a sweep, nothing is read, or several states are.
    """
    if "read" not in trace.dataset:
        need_steady(trace.dataset, analysis)
        return trace
    read = trace.dataset["read"].to_numpy().astype(bool)
    runs = np.flatnonzero(np.diff(read.astype(np.int8), prepend=0) == 1)
    if len(runs) != 1:
        how = f"{len(runs)} states are read" if len(runs) else "no state is read"
        raise DataFormatError(
            f"{trace.name}: {how}, and {analysis} needs one that is read at constant voltage, as "
            "the protocol 'constant-read' does"
        )
    if read.all() and "prepared_at" not in trace.dataset.attrs:
        return trace
    return _part(trace, read)


def _part(trace: Trace, chosen: BoolArray) -> Trace:
    """Return the chosen points, which follow one another."""
    first = int(np.argmax(chosen))
    prepared_at = float(trace.dataset.attrs.get("prepared_at", 0.0))
    begin = float(trace.time[first - 1]) if first else prepared_at
    left_out = int((~chosen).sum())
    note = f"{left_out} readings around the read are left out" if left_out else ""
    notes = "; ".join(filter(None, [trace.notes, note]))
    # a part shares its attributes with the whole, which is the caller's
    dataset = trace.dataset.isel(point=np.flatnonzero(chosen)).assign_attrs(notes=notes)
    return replace(
        trace,
        dataset=dataset,
        time=trace.time[chosen] - begin,
        raw=trace.raw[chosen],
        gap=trace.gap[chosen],
        uncertainty=trace.uncertainty[chosen],
        flagged=trace.flagged[chosen],
        limit=replace(trace.limit, limited=trace.limit.limited[chosen]),
    )
