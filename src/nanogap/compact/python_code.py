"""A fitted model as a Python module of its own, for MemNNetSim (`mnns`) and anything else.

The module needs numpy alone. Junctions of a network have no polarity: there ``|V|`` counts, as in
the networks of the potentiation-depression model (doi:10.1088/2634-4386/ac4d86).
"""

import re
from typing import TYPE_CHECKING

from nanogap import __version__
from nanogap.compact.equations import equations_of
from nanogap.compact.kernels import HIGHEST_EXPONENT
from nanogap.compact.population import square_root

if TYPE_CHECKING:
    from nanogap.compact.file import FittedModel

_HEAD = '''"""{title}: a device of few numbers, written by nanogap {version}.

Equations: {sources}.
A positive voltage closes the gap; the state x is 0 where it is open and 1 where it is closed.

Alone:      device = Device();  dxdt = device.rate(x, volts);  amperes = device.current(x, volts)
MemNNetSim: wires = mnns.create_NWN(...);  attach(wires);  wires.evolve(derivative, times,
            args=(wires, source, drain, voltage))   # voltage(t) in V, t in units of t0
"""

import numpy as np

MEAN = np.array({mean})
#: Device = MEAN + ROOT @ (standard normal deviates), kept from LOW to HIGH.
ROOT = np.array({root})
LOW = np.array({low})
HIGH = np.array({high})


def exp(u):
    return np.exp(np.minimum(u, {highest:g}))


def sp(u):
    return np.logaddexp(0.0, u)


def cl(u):
    return np.clip(u, -0.001, 1.001)


def sinh(u):
    return np.sinh(np.clip(u, -{highest:g}, {highest:g}))


ln, asinh, sqrt = np.log, np.arcsinh, np.sqrt


class Device:
    """One device, or many: `deviates` of shape ({count},) or ({count}, n)."""

    def __init__(self, deviates=None):
        deviates = np.zeros({count}) if deviates is None else np.asarray(deviates, dtype=float)
        shape = (-1,) + (1,) * (deviates.ndim - 1)
        places = MEAN.reshape(shape) + np.tensordot(ROOT, deviates, 1)
        places = np.clip(places, LOW.reshape(shape), HIGH.reshape(shape))
        {names} = places
{numbers}{derived}        self.values = dict(locals())

    def rate(self, x, v):
        """dx/dt, 1/s."""
        {unpacked}
        x, v = np.asarray(x, dtype=float), np.asarray(v, dtype=float)
{unknown}        return {rate}

    def current(self, x, v):
        """Current, A."""
        {unpacked}
        x, v = np.asarray(x, dtype=float), np.asarray(v, dtype=float)
        return {current}


def draw(random, count):
    """Devices of the distribution of the fit; `random` is a numpy Generator."""
    return Device(random.standard_normal(({count}, count)))


#: Voltage at which a junction's conductance is read, V.
READ = 0.05


def attach(wires, device=None, state=0.0):
    """Give every junction of a network of MemNNetSim a device, open."""
    wires.graph["nanogap"] = Device() if device is None else device
    wires.state_vars = ["x"]
    wires.set_state_var("x", state)
    wires.resistance_function = resistance


def resistance(wires, x):
    """Resistance of junctions in units of Ron of the network, at a small voltage."""
    conductance = wires.graph["nanogap"].current(x, READ) / READ
    return 1.0 / (conductance * wires.graph["units"]["Ron"])


def derivative(t, x, wires, source, drain, voltage):
    """dx/dt of every junction in units of 1/t0 of the network, for `evolve`."""
    from mnns.calculations import solve_network

    x = np.clip(x, 0.0, 1.0)
    wires.update_resistance(x)
    units = wires.graph["units"]
    solved = np.asarray(solve_network(wires, source, drain, voltage(t) / units["v0"], "voltage"))
    start, end = wires.wire_junction_indices()
    across = np.abs(solved[start] - solved[end]) * units["v0"] * np.sign(voltage(t))
    return wires.graph["nanogap"].rate(x, across) * units["t0"] * 1e-6
'''

_UNKNOWN = """        hop = field * (closest + (1 - cl(x)) * way)
        y = _root(np.abs(v), transfer, hop, ratio) * np.sign(v)
"""

_ROOT = '''

def _root(v, first, second, ratio):
    """Solve first y + second asinh(ratio sinh y) = v >= 0, by Newton's method and halving."""
    v, first, second, ratio = np.broadcast_arrays(v, first, second, ratio)
    large = ratio > 1.0  # the larger of the two voltages is the unknown
    one, other = np.where(large, second, first), np.where(large, first, second)
    part = np.where(large, 1.0 / ratio, ratio)
    low, high = np.zeros_like(v), v / one
    y = v / (one + other)
    for _ in range(60):
        s = part * np.sinh(y)
        beyond = one * y + other * np.arcsinh(s) - v
        high, low = np.where(beyond > 0.0, y, high), np.where(beyond > 0.0, low, y)
        new = y - beyond / (one + other * part * np.cosh(y) / np.sqrt(1.0 + s * s))
        y = np.where((new > low) & (new < high), new, 0.5 * (low + high))
    return np.where(large, np.arcsinh(np.sinh(y) * part), y)
'''


def python_code(fitted: "FittedModel") -> str:
    """Write a model as a Python module.

    Parameters
    ----------
    fitted : FittedModel
    """
    written = equations_of(fitted.model)
    names = [*written.numbers, *written.derived, *written.coordinates]
    used = {
        name
        for text in (written.rate, written.current, _UNKNOWN if written.unknown else "")
        for name in re.findall(r"(?<![\w.])[A-Za-z]\w*", text)
    }
    known = [name for name in names if name in used]
    left, right = ", ".join(known), ", ".join(f'self.values["{name}"]' for name in known)
    text = _HEAD.format(
        title=fitted.model.title,
        version=__version__,
        sources=", ".join(f"doi:{doi}" for doi in fitted.model.sources),
        mean=fitted.mean.tolist(),
        root=square_root(fitted.covariance).tolist(),
        low=[one.place(one.low) for one in fitted.model.coordinates],
        high=[one.place(one.high) for one in fitted.model.coordinates],
        highest=HIGHEST_EXPONENT,
        count=len(written.coordinates),
        names=", ".join(written.coordinates),
        numbers="".join(f"        {name} = {value!r}\n" for name, value in written.numbers.items()),
        derived="".join(f"        {name} = {text}\n" for name, text in written.derived.items()),
        unpacked=f"{left} = {right}",
        unknown=_UNKNOWN if written.unknown else "",
        rate=written.rate,
        current=written.current,
    )
    return text + (_ROOT if written.unknown else "")
