"""Sentences that a reader of a run's results must know beside them."""

import numpy as np
from ase.units import kB

from nanogap.errors import NanogapError
from nanogap.io import read_dataset
from nanogap.runs.cell import moved_cells
from nanogap.runs.directory import RunDirectory

#: A voltage beyond this, V, is above all that nanogaps are switched with.
_HIGH_VOLTAGE = 20.0
#: Part by which a temperature may be off, and standard deviations of its fluctuation besides.
_OFF, _DEVIATIONS = 0.25, 5.0
#: Part of the channels of the leads up to which a wider cell gives the same T within 0.1 G0, and
#: beyond which it gives more (docs/paper-figures.md).
_MOST_OF_CHANNELS = 0.5
#: So many moves of the cell are told one by one.
_MOVES_TOLD = 5


def notes_of(run: RunDirectory) -> list[str]:
    """Gather the notes of a run: changed settings, programs, damage, what is far from asked.

    Parameters
    ----------
    run : RunDirectory

    Returns
    -------
    list of str
        Empty for a run that went as it should.
    """
    notes = [f"changed after the beginning: {change}" for change in run.changes]
    several = [f"{name} {found}" for name, found in run.versions.items() if ", " in found]
    if several:
        notes.append(f"several versions had a part: {'; '.join(several)}")
    notes += run.dynamics.notes
    applied = run.settings.voltage.applied
    if abs(applied) > _HIGH_VOLTAGE:
        notes.append(
            f"voltage.applied = {applied:g} V is far above what nanogaps are switched with (some V)"
        )
    return notes + moved_cell_notes(run) + narrow_lead_notes(run) + _temperature_notes(run)


def moved_cell_notes(run: RunDirectory) -> list[str]:
    """Say where T may jump although no atom does, because the cell of the junction moved.

    Parameters
    ----------
    run : RunDirectory

    Returns
    -------
    list of str
        Empty where the cell of a bridge never moved, which cuts other than ``paper`` make sure of.
    """
    try:
        moves = list(moved_cells(run))
    except (NanogapError, OSError, KeyError):
        return []  # the status of a run with a damaged trajectory is told all the same
    if not moves:
        return []
    records = run.records()
    times = [f"{records[n].observables['time'] / 1000.0:.2f}" for n in moves[:_MOVES_TOLD]]
    more = f" and at {len(moves) - _MOVES_TOLD} others" if len(moves) > _MOVES_TOLD else ""
    told = (
        f"the cell that junctions are cut in moved at {', '.join(times)} ps{more}: T may jump "
        "there although no atom does; junction.cut = 'terrace' has one cell for the whole run"
    )
    return [told]


def narrow_lead_notes(run: RunDirectory) -> list[str]:
    """Say where the leads of the cut, and not the bridge alone, limit T.

    Parameters
    ----------
    run : RunDirectory

    Returns
    -------
    list of str
        Empty where T stays below half of the channels of the leads, or they are not known.
    """
    try:
        averages = run.transmission_averages()
        if averages is None:
            return []
        values = averages["transmission_average"].sel(energy=0.0, method="nearest").to_numpy()
        place = int(np.argmax(np.nan_to_num(values)))
        number, largest = int(averages["snapshot"].to_numpy()[place]), float(values[place])
        leads = read_dataset(run.files.transmissions()[number])["open_channels"].to_numpy()
    except (NanogapError, OSError, KeyError):
        return []  # hand-made files have no leads, and damage is told by the report
    channels = float(leads.min())
    if not largest > _MOST_OF_CHANNELS * channels:
        return []
    narrow = run.settings.junction.cut == "paper"
    wider = "junction.cut = 'terrace' has wider ones" if narrow else "wider tips have more"
    told = (
        f"T reaches {largest:.3g} G0, and the leads of the cut have {channels:.3g} channels: "
        f"beyond half of them they limit T; {wider}"
    )
    return [told]


def _temperature_notes(run: RunDirectory) -> list[str]:
    """Compare the temperatures with that of the thermostat.

    That of n atoms fluctuates by the part sqrt(2/(3 n)).
    """
    records, asked = run.records(), run.settings.dynamics.temperature
    if not records or not asked:
        return []
    found = np.array([record.observables["temperature"] for record in records])
    kinetic = records[0].observables["kinetic_energy"]
    free = max(1.0, kinetic / (1.5 * kB * found[0])) if found[0] > 0.0 else 1.0
    allowed = asked * (_OFF + _DEVIATIONS * (2.0 / (3.0 * free)) ** 0.5)
    first, worst = found[0], found[np.abs(found - asked).argmax()]
    if abs(first - asked) > allowed:
        told = (
            f"the temperature was {first:.0f} K when the voltage came on, and {asked:g} K were "
            "asked: the structure does not fit the force field, or dynamics.equilibration_time is "
            "too short"
        )
        return [told]
    if abs(worst - asked) > allowed:
        time = records[int(np.abs(found - asked).argmax())].observables["time"]
        told = (
            f"the temperature was {worst:.0f} K at {time:g} fs, and {asked:g} K were asked: heat "
            "comes faster than the thermostat takes it"
        )
        return [told]
    return []
