"""The equations of the models as text, which the exports write in their languages.

A neutral notation: ``exp`` is of no more than 80, ``sp(u)`` is ln(1 + exp(u)), ``cl(u)`` is u, kept
from leaving 0 to 1 by more than a thousandth while a simulator iterates, and ``ln``, ``sinh`` (of
no more than 80 either), ``asinh`` and ``sqrt`` are what they say. Names are parameters, earlier
definitions, the voltage ``v`` at the gap and the state ``x``. `nanogap.compact.kernels` has the
same equations, compiled; a test compares.
"""

from dataclasses import dataclass

from scipy import constants

from nanogap.compact import kernels
from nanogap.compact.gap import ATOM_VOLUME, Gap
from nanogap.compact.model import CompactModel
from nanogap.compact.point_contact import PointContact
from nanogap.compact.potentiation import PotentiationDepression
from nanogap.compact.threshold import Threshold
from nanogap.errors import SettingsError
from nanogap.units import BOLTZMANN


@dataclass(frozen=True)
class Equations:
    """Equations of a model.

    Attributes
    ----------
    numbers : dict of str to float
        Parameters that are no coordinates.
    derived : dict of str to str
        What follows from the coordinates, which have the names of `coordinates`, in order.
    coordinates : tuple of str
        Short names of the coordinates of the model, of their places.
    unknown : tuple of (str, str) or None
        Name of an unknown besides the state, and the expression that it makes zero.
    rate, current : str
        dx/dt, 1/s, and I, A.
    """

    coordinates: tuple[str, ...]
    numbers: dict[str, float]
    derived: dict[str, str]
    rate: str
    current: str
    unknown: tuple[str, str] | None = None


def equations_of(model: CompactModel) -> Equations:
    """Return the equations of a model.

    Raises
    ------
    SettingsError
        If there are none for a model of this kind.

    Examples
    --------
    >>> equations_of(Threshold()).current
    'exp(u4 + (u5 - u4)*x)*v'
    """
    if isinstance(model, PotentiationDepression):
        return _potentiation()
    if isinstance(model, Threshold):
        return _threshold(model)
    if isinstance(model, PointContact):
        return _point_contact(model)
    if isinstance(model, Gap):
        return _gap(model)
    raise SettingsError(f"no equations are written for {type(model).__name__}")


_NAMES = tuple(f"u{number}" for number in range(6))


def _potentiation() -> Equations:
    return Equations(
        _NAMES,
        {},
        {"etap": "exp(u1)", "etad": "exp(u3)", "gmin": "exp(u4)", "gmax": "exp(u5)"},
        "exp(etap*(v - u0))*(1 - x) - exp(-etad*(v + u2))*x",
        "(gmin*(1 - x) + gmax*x)*v",
    )


def _threshold(model: Threshold) -> Equations:
    soft = kernels.SOFTNESS
    over = f"exp(u1 + aset*ln(1e-300 + {soft}*sp((v/vset - 1)/{soft})))"
    under = f"exp(u3 + areset*ln(1e-300 + {soft}*sp((-v/vreset - 1)/{soft})))"
    return Equations(
        _NAMES,
        {"aset": model.set_exponent, "areset": model.reset_exponent},
        {
            "overset": "exp(-u1/aset)",
            "overreset": "exp(-u3/areset)",
            "vset": f"exp(u0)/(1 + overset + {soft}*ln(1 - exp(-overset/{soft})))",
            "vreset": f"exp(u2)/(1 + overreset + {soft}*ln(1 - exp(-overreset/{soft})))",
        },
        f"{over}*(1 - x) - {under}*x",
        "exp(u4 + (u5 - u4)*x)*v",
    )


def _point_contact(model: PointContact) -> Equations:
    channels = model.channels / model.scale
    count = len(channels)
    terms = []
    for number in range(count):
        top = f"span*({(number + 0.5) / count!r} - x)"
        passed = f"sp(alpha*(0.5*v - {top})) - sp(-alpha*(0.5*v + {top}))"
        terms.append(f"g{number}*({passed})")
    numbers = {f"g{number}": float(one) for number, one in enumerate(channels)}
    return Equations(
        _NAMES,
        {"alpha": model.sharpness, **numbers},
        {"etas": "exp(u1)", "etar": "exp(u3)", "span": "exp(u4)", "scale": "exp(u5)"},
        "exp(etas*(v - u0))*(1 - x) - exp(-etar*(v + u2))*x",
        f"scale/alpha*({' + '.join(terms)})",
    )


def _gap(model: Gap) -> Equations:
    thermal = 2.0 * BOLTZMANN * model.temperature
    nucleus, width, end = kernels.NUCLEUS, kernels.NUCLEUS_WIDTH, kernels.END_WIDTH
    forward = f"(1/(1 + exp(-v/{kernels.TURN})))"
    near = f"(1/(1 + exp((x - {nucleus})/{width})))"
    flow = "(pace*sinh(y))"
    wait = f"(exp(2*charge*(u2/transfer - y))/{nucleus}*{near})"
    hop = "field*(closest + (1 - cl(x))*way)"
    least = f"(pace*{kernels.TURN}/(transfer + {hop}*ratio))"
    size = f"sqrt({flow}*{flow} + {least}*{least})"
    waited = f"(1 + {size}*{wait}*{forward})"
    grown = f"((1 - exp(-(1 - x)/{end}))/{waited})"
    # the way from open to closed, by Newton's method: it converges to rounding
    ways = {"way0": "(u5 - u4)/decay"}
    for step in range(5):
        old = f"way{step}"
        name = "way" if step == 4 else f"way{step + 1}"
        beyond = f"(decay*{old} + ln(1 + {old}/closest) - (u5 - u4))"
        ways[name] = f"{old} - {beyond}/(decay + 1/(closest + {old}))"
    return Equations(
        _NAMES,
        {
            "transfer": 2.0 * thermal,
            "field": thermal / model.hopping_distance,
            "closest": model.closest_gap,
            "decay": model.decay,
            "speed": 2.0 * ATOM_VOLUME / constants.e,
        },
        {
            "charge": "exp(u3)",
            **ways,
            "pace": "1/sinh(u0/transfer)",
            "ratio": "2*pace*way/speed*exp(-u1)",
        },
        f"{flow}*({forward}*{grown} + (1 - {forward})*(1 - exp(-x/{end})))",
        "exp(u5 - decay*(1 - cl(x))*way)*closest/(closest + (1 - cl(x))*way)*v",
        ("y", f"transfer*y + {hop}*asinh(ratio*sinh(y)) - v"),
    )
