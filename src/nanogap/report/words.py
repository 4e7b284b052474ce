"""Sentences on what was simulated and what came out."""

from collections.abc import Mapping

import numpy as np
from ase.data import atomic_names, atomic_numbers

from nanogap.analysis import Stage, stage_spans
from nanogap.printing import counted
from nanogap.report.result import RunResult
from nanogap.settings import Settings, load_settings, preset_names
from nanogap.units import CONDUCTANCE_QUANTUM

_FS_PER_PS = 1000.0
#: Metals of one valence electron, s, that are known to have one channel near 1 in a contact of one
#: atom (Scheer et al., Nature 394, 154 (1998), doi:10.1038/28112; Agrait, Yeyati & van Ruitenbeek,
#: Phys. Rep. 377, 81 (2003), doi:10.1016/S0370-1573(02)00633-6).
_ONE_CHANNEL = ("Ag", "Au", "Cu")

# the smallest transmission worth digits: what a tunnelling gap gives is called zero below it
_SMALLEST = 1e-3
_CHANGES_NAMED = 4
#: Moves of the cell that are told.
_MOVES_TOLD = 8


def metal_name(element: str) -> str:
    """Return the name of an element in a sentence."""
    return str(atomic_names[atomic_numbers[element]]).lower()


def known_transmissions(element: str) -> str:
    """Say what T is in the two cases that everybody knows."""
    gap = "An open gap has T near 0"
    if element not in _ONE_CHANNEL:
        return f"{gap}, a channel that is wholly open T = 1."
    return f"{gap}, a contact through one atom of {metal_name(element)} T near 1."


def number(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits and without an exponent if it can be."""
    text = f"{float(f'{value:.{digits}g}'):.12g}"
    return text.replace("-", "\N{MINUS SIGN}")


def transmission_text(value: float) -> str:
    """Write a transmission as ``T = ...``."""
    if not np.isfinite(value):
        return "T not known"
    if abs(value) < _SMALLEST:
        return f"T < {_SMALLEST:g}"
    # in a tunnelling gap the order of magnitude is what counts
    return f"T = {number(value, 3 if abs(value) >= 0.1 else 2)}"


def title(settings: Settings) -> str:
    """Name a run; one that carries the name of a preset but differs from it says in what."""
    if settings.name not in preset_names():
        return settings.name
    changes = _changes(settings.model_dump(), load_settings(settings.name).model_dump())
    if not changes:
        return settings.name
    more = len(changes) - _CHANGES_NAMED
    shown = ", ".join(changes[:_CHANGES_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{settings.name}, changed: {shown}"


def _changes(values: Mapping[str, object], preset: Mapping[str, object]) -> list[str]:
    """List the keys whose values differ from those of a preset, with the values."""
    found = []
    for key, value in values.items():
        before = preset[key]
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            found += [f"{key}.{change}" for change in _changes(value, before)]
        elif value != before:
            found.append(f"{key} = {value}")
    return found


def headline(settings: Settings) -> str:
    """Say in one line what was simulated."""
    metal = metal_name(settings.structure.element)
    return (
        f"Two {metal} tips {number(settings.structure.gap)} Å apart, "
        f"{_signed(settings.voltage.applied)} across them, at "
        f"{number(settings.dynamics.temperature)} K"
    )


def simulated(result: RunResult) -> str:
    """Say what was simulated, in a few sentences."""
    settings, count = result.settings, len(result.time)
    known = int(np.isfinite(result.transmission).sum())
    voltage = settings.voltage.applied
    metal = metal_name(settings.structure.element)
    atoms = next((f"{len(frame)} atoms, " for frame in result.frames.values()), "")
    anode = (
        f"the {'top' if voltage > 0 else 'bottom'} tip as the anode" if voltage else "no voltage"
    )
    done = number(result.time[-1]) if count else "0"
    span = f"{done} ps" if result.finished else f"{done} of {number(result.planned_end)} ps so far"
    return (
        f"Two {metal} tips ({atoms}{number(settings.structure.gap)} Å apart) were simulated by "
        f"{_method(settings)} at {number(settings.dynamics.temperature)} K with "
        f"{_signed(voltage)} between them ({anode}), for {span}. "
        f"The quantum transmission T was computed for {known} of "
        f"{counted(count, 'snapshot')}; the conductance is T times G₀."
    )


def _method(settings: Settings) -> str:
    if settings.voltage.mode == "constant-potential":
        return "molecular dynamics of embedded atoms held at the potentials of two electrodes"
    if settings.dynamics.engine == "eam":
        return "molecular dynamics of uncharged embedded atoms"
    return "reactive molecular dynamics"


def moves(result: RunResult) -> str:
    """Say what the moves of the cell alone have changed, the largest first; empty if not known."""
    changes = result.transmission - result.in_cell_before
    found = np.flatnonzero(result.cell_moved & np.isfinite(changes))
    if not len(found):
        return ""
    largest = found[np.argsort(-np.abs(changes[found]), kind="stable")][:_MOVES_TOLD]
    told = [
        f"{number(result.time[n])} ps, {number(result.in_cell_before[n])} to "
        f"{number(result.transmission[n])}"
        for n in largest
    ]
    more = "" if len(found) == len(largest) else f", the largest of {len(found)}"
    return f"T in G₀ before and after the move{more}: {'; '.join(told)}."


def happened(result: RunResult) -> str:
    """Say what happened, in a few sentences."""
    if not len(result.time):
        return "No snapshot has been taken yet."
    sentences = [_beginning(result)]
    contact = result.first_contact
    if len(result.time) > 1:
        if contact is None:
            sentences.append(_never(result))
        elif contact > 0:
            sentences.append(
                f"The tips first touched at {number(result.time[contact])} ps, "
                f"{_bridge(result, contact)}, with {_value(result, contact)}."
            )
        sentences += [*_breaks(result), _ending(result)]
    if not result.has_transmission:
        reason = result.why_no_transmission
        sentences.append(
            f"{reason[:1].upper()}{reason[1:]}."
            if reason
            else "No transmission has been computed yet."
        )
    return " ".join(sentences)


def _beginning(result: RunResult) -> str:
    if result.first_contact == 0:
        return f"The tips touched from the start, {_bridge(result, 0)}, with {_value(result, 0)}."
    gap = number(result.series("minimax_gap")[0])
    return (
        f"The gap was open at the start ({_value(result, 0)}; minimax gap {gap} Å: the longest "
        "step of that path of atoms from base to base whose longest step is shortest)."
    )


def _never(result: RunResult) -> str:
    gap = result.series("minimax_gap")
    least = int(np.nanargmin(gap)) if np.isfinite(gap).any() else 0
    return (
        f"The tips have not touched; they came closest at {number(result.time[least])} ps, "
        f"with a minimax gap of {number(gap[least])} Å."
    )


def _breaks(result: RunResult) -> list[str]:
    ruptures = sum(stage is Stage.RUPTURE for stage, _, _ in stage_spans(result.stages))
    if not ruptures:
        return []
    return [f"After that the bridge was seen broken {_times(ruptures)}."]


def _ending(result: RunResult) -> str:
    when = f"{'At the end' if result.finished else 'At the latest snapshot'}"
    last = len(result.time) - 1
    if not bool(result.series("connected")[last]):
        state = f"the gap was open by {number(result.series('minimax_gap')[last])} Å"
    else:
        state = f"the tips were connected {_bridge(result, last)}"
    return f"{when}, {number(result.time[last])} ps, {state}, and {_value(result, last)}."


def _bridge(result: RunResult, index: int) -> str:
    """Say what the tips are connected through."""
    atoms = result.bottleneck(index)
    if atoms < 1:
        return f"across a stretched bond of {number(result.series('minimax_gap')[index])} Å"
    return f"through {counted(atoms, 'atom')} in the constriction"


def _value(result: RunResult, index: int) -> str:
    return transmission_text(float(result.transmission[index]))


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _signed(voltage: float) -> str:
    return f"{'+' if voltage > 0 else ''}{number(voltage)} V"


def key_numbers(result: RunResult) -> list[tuple[str, str, str]]:
    """Choose the numbers to see first: label, value, remark."""
    if not len(result.time):
        return []
    last, contact = len(result.time) - 1, result.first_contact
    known = np.isfinite(result.transmission)
    wanted = not result.why_no_transmission
    numbers = [("T at the start", *_tile(result, 0))] if wanted else []
    if contact:
        after = "after the voltage came on" if result.settings.voltage.applied else "after heating"
        numbers.append(("first contact", f"{number(result.time[contact])} ps", after))
        if wanted:
            numbers.append(("T at first contact", *_tile(result, contact)))
    if contact is None:
        numbers.append(("first contact", "none", "the tips have not touched"))
    if last > 0 and wanted:
        numbers.append(("T at the end" if result.finished else "T now", *_tile(result, last)))
    if bool(result.series("connected")[last]):
        atoms = result.bottleneck(last)
        width = counted(atoms, "atom") if atoms else "stretched"
        numbers.append(("bridge", width, "wide at its narrowest" if atoms else "no full bond"))
    else:
        gap = number(result.series("minimax_gap")[last])
        numbers.append(("gap", f"{gap} Å", "minimax gap that is left"))
    missing = len(known) - int(known.sum())
    remark = f"{missing} without T" if missing else "all with T"
    numbers.append(("snapshots", str(len(known)), remark))
    return numbers


def _tile(result: RunResult, index: int) -> tuple[str, str]:
    """Value and remark of a transmission."""
    value = float(result.transmission[index])
    if not np.isfinite(value):
        return "?", "not known"
    siemens = value * CONDUCTANCE_QUANTUM
    text = transmission_text(value).removeprefix("T ").removeprefix("= ")
    if value < _SMALLEST:
        return text, "tunnelling only"
    resistance = 1.0 / siemens
    ohms = (
        f"{number(resistance / 1e3)} kΩ" if resistance < 1e6 else f"{number(resistance / 1e6)} MΩ"
    )
    return text, f"{number(siemens * 1e6)} µS, {ohms}"


def settings_sentences(settings: Settings) -> list[tuple[str, str]]:
    """Put the settings into words: topic and sentences."""
    tips, dynamics, voltage = settings.structure, settings.dynamics, settings.voltage
    metal = metal_name(tips.element)
    lattice = (
        "the force field's own at the run temperature"
        if isinstance(tips.lattice_constant, str)
        else f"{number(tips.lattice_constant, 4)} Å"
    )
    dense = ""
    if dynamics.contact_sampling_interval:
        history = dynamics.contact_history * dynamics.contact_sampling_interval
        dense = (
            f" Around the first contact it was saved every "
            f"{number(dynamics.contact_sampling_interval)} fs, from up to "
            f"{_ps(history)} before to {_ps(dynamics.contact_sampling_time)} after it."
        )
    stop = ""
    if dynamics.stop_after_contact:
        stop = (
            f", or until {_ps(dynamics.stop_after_contact)} after the first bond between the tips"
        )
    mode = (
        "as the steady current through the connected metal sets it (discrete Laplace equation)"
        if voltage.mode != "relaxation"
        else "by fictitious diffusion in time, as published"
    )
    tips_text = (
        f"Two pyramids of {metal}, [111] along the axis: base {number(tips.base_width)} Å "
        f"square, {number(tips.height)} Å high, flat terrace {number(tips.apex_width)} Å wide, "
        f"terraces {number(tips.gap)} Å apart. Under each pyramid "
        f"{counted(tips.fixed_layers, 'layer')} of atoms "
        f"{'is' if tips.fixed_layers == 1 else 'are'} held fixed. Lattice constant: {lattice}."
    )
    method = "Reactive molecular dynamics (ReaxFF, charges equilibrated at every step)"
    if dynamics.engine == "eam":
        charges = "with the charges of a conductor" if settings.charged else "without charges"
        method = f"Molecular dynamics (embedded atoms of Foiles, Baskes and Daw, {charges})"
    dynamics_text = (
        f"{method} at "
        f"{number(dynamics.temperature)} K in steps of {number(dynamics.time_step)} fs: "
        f"{_ps(dynamics.equilibration_time)} at 0 V, then {_ps(dynamics.production_time)} "
        f"under voltage{stop}. A snapshot was saved every {_ps(dynamics.sampling_interval)}.{dense}"
    )
    acts = (
        "Gaussian charges, with Coulomb's law between all pairs, hold every atom at its potential"
        if voltage.mode == "constant-potential"
        else "It shifts the electronegativity of the atoms, which charges the tips"
    )
    voltage_text = (
        f"{_signed(voltage.applied)} on the top tip against the bottom one (EChemDID): the "
        f"fixed layers hold half of it each, and the potential spreads through metal whose "
        f"atoms are closer than {number(voltage.cutoff)} Å, {mode}. {acts}."
    )
    if not settings.charged:
        voltage_text = "None: embedded atoms have no charges that a voltage could act on."
    return [
        ("Tips", tips_text),
        ("Dynamics", dynamics_text),
        ("Voltage", voltage_text),
        ("Transport", _transport(settings)),
    ]


def _transport(settings: Settings) -> str:
    junction, transport = settings.junction, settings.transport
    repeats = junction.lead_repeats
    cut = {
        "terrace": "one cell for all snapshots, wider than the terraces: perfect planes up to the "
        "layer below the terraces, and the snapshot's atoms from there on",
        "paper": f"a cell of {repeats} by {repeats} atoms around the filament: perfect planes up "
        "to the terraces, and the snapshot's atoms from terrace to terrace",
        "full": f"a cell of at least {repeats} and at most {junction.max_repeats} atoms across, "
        "wide enough for the whole filament, with the tips' own atoms",
    }[junction.cut]
    if transport.kpoints == "auto":
        mesh = "a mesh of in-plane k-points as dense as the width of the cell asks for"
    elif transport.kpoints == "paper":
        mesh = "135 independent in-plane k-points"
    else:
        mesh = f"{transport.kpoints[0]} by {transport.kpoints[1]} in-plane k-points"
    centre = "centred on Γ" if transport.gamma_centred else "shifted off Γ"
    return (
        f"Every snapshot was cut into a junction between two semi-infinite (111) leads ({cut}). "
        "Its transmission is the ballistic Landauer one at the Fermi energy, at vanishing bias, "
        f"averaged over {mesh} ({centre})."
    )


def _ps(time: float) -> str:
    return f"{number(time / _FS_PER_PS)} ps"


def value_or_none(value: float) -> float | None:
    """Give a number for a table, None where it is not known."""
    return float(value) if np.isfinite(value) else None
