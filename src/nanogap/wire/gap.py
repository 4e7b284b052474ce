r"""The gap that a parted wire leaves: position, width, radius and angle of both tips.

At the radius of parting r_p the current ends, and the wire cools within t_c
(`HeatBalance.cooling_time`). Until then the ends of both halves retract: what is molten, as a
liquid; of the solid, what surface diffusion reaches. A tip that retracts after a pinch-off has no
length but (B t)^(1/4) (H. Wong, M. J. Miksis, P. W. Voorhees and S. H. Davis, Acta Materialia 46,
2477 (1998)), so it reaches up to where the wire has the radius

    r = (r_p^4 + B(T) t_c)^(1/4)

with the temperature T of the neck. The factor before B t_c is assumed to be one. The metal of that
zone, molten or mobile, becomes a cap of a sphere of the same volume on what stays.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from nanogap.typing import FloatArray
from nanogap.wire.evolution import Matter, Shape
from nanogap.wire.heat import HeatBalance

#: The flank whose angle is found: from the end of the zone that retracts to so many times the
#: radius there.
_FLANK = 2.5


@dataclass(frozen=True)
class Tip:
    """One of both needles.

    Attributes
    ----------
    position : float
        Of its foremost point, from the end of the wire at the lower potential, m.
    radius : float
        Of the sphere at its end, m; a flat end has a large one.
    base : float
        Radius of the wire where the sphere begins, m.
    half_angle : float
        Of the flank behind, against the axis, degrees: by a straight line through its radii.
    """

    position: float
    radius: float
    base: float
    half_angle: float


@dataclass(frozen=True)
class Gap:
    """The gap of a parted wire.

    Attributes
    ----------
    width : float
        Between the foremost points of both tips, m.
    position : float
        Of the neck, from the end at the lower potential (the cathode of a positive voltage), m.
    lower, upper : Tip
        Towards the ends at the lower and at the higher potential.
    temperature : float
        Of the neck when it parted, K.
    molten : float
        Length of the wire above the melting point then, m.
    cooling_time : float
        s.
    """

    width: float
    position: float
    lower: Tip
    upper: Tip
    temperature: float
    molten: float
    cooling_time: float


def gap_of(shape: Shape, matter: Matter, heat_capacity: float) -> Gap:
    """Describe the gap of a wire that has just parted.

    Parameters
    ----------
    shape : Shape
        When its thinnest cell reached the radius of parting.
    matter : Matter
    heat_capacity : float
        J/(m^3 K).
    """
    place, temperature = int(np.argmin(shape.squares)), shape.thermal.temperature
    hot = float(temperature[place])
    heat = HeatBalance(shape.mesh, matter.conduction, matter.surroundings)
    cooling = heat.cooling_time(shape.squares, temperature, heat_capacity)
    grown = matter.surface.mullins_coefficient(hot) * float(shape.grains[place]) * cooling
    reach = (matter.parting_radius**4 + grown) ** 0.25
    retracts = (shape.radii < reach) | (temperature >= matter.surface.melting_point)
    sides = [slice(place, None, -1), slice(place, None, 1)]
    lower, upper = (
        _tip(shape.mesh.widths[side], shape.squares[side], retracts[side]) for side in sides
    )
    neck = float(shape.mesh.centres[place])
    molten = shape.mesh.widths[temperature >= matter.surface.melting_point]
    return Gap(
        width=lower.position + upper.position,
        position=neck,
        lower=Tip(neck - lower.position, lower.radius, lower.base, lower.half_angle),
        upper=Tip(neck + upper.position, upper.radius, upper.base, upper.half_angle),
        temperature=hot,
        molten=float(molten.sum()),
        cooling_time=cooling,
    )


def cap_height(volume: float, base: float) -> float:
    """Return the height of the cap of a sphere, pi h (3 a^2 + h^2)/6 = V, m.

    Parameters
    ----------
    volume : float
        V, m^3.
    base : float
        Radius a of the circle that it stands on, m.

    Examples
    --------
    >>> import math
    >>> round(cap_height(2.0 * math.pi / 3.0, 1.0), 9)  # a hemisphere
    1.0
    """
    scaled = 6.0 * volume / (np.pi * base**3)
    return base * float(brentq(lambda h: h * (3.0 + h**2) - scaled, 0.0, scaled / 3.0 + 1e-12))


def _tip(widths: FloatArray, squares: FloatArray, retracts: FloatArray) -> Tip:
    """Describe one tip, its position as the distance from the neck.

    Parameters
    ----------
    widths, squares, retracts : ndarray, shape (n,)
        Cells from that of the neck, of which each half has one half, towards the end.
    """
    own = widths.copy()
    own[0] /= 2.0
    # without a cell that stays, the whole side up to the contact
    count = int(np.argmin(retracts)) if not retracts.all() else len(retracts)
    base = float(np.sqrt(squares[min(count, len(squares) - 1)]))
    volume = float(np.pi * (squares * own)[:count].sum())
    length = float(own[:count].sum())
    height = cap_height(volume, base)
    sphere = (base**2 + height**2) / (2.0 * height)
    away, radii = np.cumsum(own) - own / 2.0, np.sqrt(squares)
    behind = np.arange(len(radii)) >= count
    flank = behind & (np.cumsum(behind & (radii > _FLANK * base)) <= 1)
    angle = 90.0
    if flank.sum() >= 2:
        # along as a function of the radius: flanks by electromigration are steep
        slope = max(float(np.polyfit(radii[flank], away[flank], 1)[0]), 0.0)
        angle = float(np.degrees(np.arctan2(1.0, slope)))
    return Tip(max(length - height, 0.0), sphere, base, angle)
