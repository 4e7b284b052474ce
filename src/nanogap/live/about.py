"""Facts that a live page tells of its device: names, numbers it rests on, ranges of the knobs."""

from dataclasses import dataclass

from nanogap import __version__
from nanogap.live.hand_driven import HandDriven
from nanogap.live.knobs import Range
from nanogap.report.device_figures import KINDS


@dataclass(frozen=True)
class About:
    """Facts that do not change while the device goes on.

    Attributes
    ----------
    name, element, version : str
    series_resistance : float
        Of the circuit, ohm.
    ranges : dict of str to Range
        By `nanogap.live.knobs.knob_ranges`.
    kinds : dict of int to (str, str)
        Colour and meaning of the kinds of atoms.
    rests_on : list of str
        Sentences.
    """

    name: str
    element: str
    version: str
    series_resistance: float
    ranges: dict[str, Range]
    kinds: dict[int, tuple[str, str]]
    rests_on: list[str]


def about(driven: HandDriven) -> About:
    """Gather what a page says of a device.

    Parameters
    ----------
    driven : HandDriven
    """
    settings = driven.device.settings
    geometry, atoms = settings.geometry, settings.atoms
    resistance = settings.circuit.series.parasitic
    medium = settings.medium.name
    kinetics = (
        f"Atoms of {geometry.element} and their ions in {medium} move on a lattice by kinetic "
        "Monte Carlo: each step is drawn at random, with the rate that its barrier, the "
        "temperature and the local potential give it. Some of these numbers are fits, chosen "
        "so that a device switches at all, above all what the surface adds to every barrier "
        f"({atoms.surface_condition:g} eV) and the rate at which atoms dissolve. Compare "
        "shapes with a measurement, not volts and seconds."
    )
    conductance = (
        "The conductance is ballistic, by Green's functions of a tight-binding model of the "
        "neck with its atoms where they are. How wrong it may be is told in the documentation, "
        "under Device: conductance."
    )
    circuit = (
        f"The gap is in series with {resistance:g} Ω of wires and contacts. The source, its "
        "limits, and the noise and digits of its readings are those of a source-measure unit."
    )
    return About(
        name=settings.name,
        element=geometry.element,
        version=__version__,
        series_resistance=resistance,
        ranges=driven.ranges,
        kinds=KINDS,
        rests_on=[kinetics, conductance, circuit],
    )
