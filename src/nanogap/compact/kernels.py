"""Rates, currents and the integration of the compact models, compiled.

The state x of a model lies between 0 (open) and 1 (closed). A source applies a voltage V(t) behind
a series resistance R_s and holds ``|I|`` at a limit; the rest is at the gap and follows from x:

    v + R_s I(x, v) = V,    or    ``|I(x, v)|`` = limit where that is less

so a current source is a limit that follows a programme. dx/dt = f(x, v(x, t)) is integrated by the
L-stable SDIRK method of second order (Alexander, SIAM J. Numer. Anal. 14, 1006 (1977),
doi:10.1137/0714068), whose implicit stages are solved between 0 and 1 and so always have a
solution; its step follows the change of ln G. The equations are those of the modules of the models.
"""

import numpy as np
from numba import njit

from nanogap.typing import FloatArray

POTENTIATION, GAP, POINT_CONTACT, THRESHOLD = range(4)

#: Larger exponents of rates mean "at once".
HIGHEST_EXPONENT = 80.0

#: Width of the soft threshold of VTEAM, relative to the threshold.
SOFTNESS = 0.02

#: Of the gap model: part of the way that is the nucleus, and widths of its smooth ends.
NUCLEUS, NUCLEUS_WIDTH, END_WIDTH = 0.1, 0.01, 0.05

#: Of the gap model: voltage over which growth becomes dissolution, V.
TURN = 0.001

#: Voltage at which the conductance of a state is read, V.
READ = 0.05

_GAMMA = 1.0 - np.sqrt(0.5)


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def limited_exp(exponent: float) -> float:
    """Return exp, of no more than `HIGHEST_EXPONENT`."""
    return np.exp(min(exponent, HIGHEST_EXPONENT))  # type: ignore[no-any-return]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def softplus(argument: float) -> float:
    """Return ln(1 + exp(u)) without overflow."""
    return max(argument, 0.0) + np.log1p(np.exp(-abs(argument)))  # type: ignore[no-any-return]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def relaxation_rates(kind: int, c: FloatArray, v: float) -> tuple[float, float]:
    """Return a and b of dx/dt = a (1 - x) - b x at a voltage, 1/s; not of the gap model."""
    if kind == POTENTIATION:
        return limited_exp(np.log(c[0]) + c[1] * v), limited_exp(np.log(c[2]) - c[3] * v)
    if kind == POINT_CONTACT:
        return limited_exp(c[1] * (v - c[0])), limited_exp(-c[3] * (v - c[2]))
    over = SOFTNESS * softplus((v / c[0] - 1.0) / SOFTNESS)
    under = SOFTNESS * softplus((v / c[3] - 1.0) / SOFTNESS)
    return c[1] * over ** c[2], c[4] * under ** c[5]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def series_root(v: float, first: float, second: float, ratio: float) -> float:
    """Solve first y + second asinh(ratio sinh y) = v > 0 for y, ratio <= 1; safeguarded Newton."""
    low, high = 0.0, v / first
    y = v / (first + second)
    for _ in range(80):
        s = ratio * np.sinh(y)
        value = first * y + second * np.arcsinh(s) - v
        if value > 0.0:
            high = y
        else:
            low = y
        slope = first + second * ratio * np.cosh(y) / np.sqrt(1.0 + s * s)
        new = y - value / slope
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - y) <= 1e-13 * y:
            break
        y = new
    return y


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def transfer_overpotential(v: float, transfer: float, hopping: float, ratio: float) -> float:
    """Solve transfer y + hopping asinh(ratio sinh y) = v for y.

    The larger of the two voltages is the unknown, which does not vanish beside the other.
    """
    if v == 0.0:
        return 0.0
    if ratio <= 1.0:
        y = series_root(abs(v), transfer, hopping, ratio)
    else:
        y = np.arcsinh(np.sinh(series_root(abs(v), hopping, transfer, 1.0 / ratio)) / ratio)
    return y if v > 0.0 else -y  # type: ignore[no-any-return]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def gap_rate(c: FloatArray, x: float, v: float) -> float:
    """Return dx/dt of the gap model, 1/s."""
    distance = c[7] + (1.0 - x) * c[6]
    y = transfer_overpotential(v, c[1], c[2] * distance, c[3])
    flow = c[0] * np.sinh(y)
    forward = 1.0 / (1.0 + limited_exp(-v / TURN))
    near_open = 1.0 / (1.0 + limited_exp((x - NUCLEUS) / NUCLEUS_WIDTH))
    wait = c[4] / NUCLEUS * limited_exp(-2.0 * c[5] * y) * near_open
    # above 0 at either sign: nothing cancels the 1, and a nucleus takes its time at any voltage
    least = c[0] * TURN / (c[1] + c[2] * distance * c[3])
    size = np.sqrt(flow**2 + least**2)
    waited = 1.0 + size * wait * forward
    grown = (1.0 - limited_exp(-(1.0 - x) / END_WIDTH)) / waited
    dissolved = 1.0 - limited_exp(-x / END_WIDTH)
    return flow * (forward * grown + (1.0 - forward) * dissolved)  # type: ignore[no-any-return]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def state_rate(kind: int, c: FloatArray, x: float, v: float) -> float:
    """Return dx/dt, 1/s."""
    if kind == GAP:
        return gap_rate(c, x, v)  # type: ignore[no-any-return]
    a, b = relaxation_rates(kind, c, v)
    return a * (1.0 - x) - b * x  # type: ignore[no-any-return]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def linear_conductance(kind: int, c: FloatArray, x: float) -> float:
    """Return I/v of a model whose current is proportional to the voltage, S."""
    if kind == POTENTIATION:
        return c[4] * (1.0 - x) + c[5] * x  # type: ignore[no-any-return]
    if kind == THRESHOLD:
        return c[6] * (c[7] / c[6]) ** x  # type: ignore[no-any-return]
    distance = c[7] + (1.0 - x) * c[6]
    return c[8] / distance * np.exp(-c[9] * distance)  # type: ignore[no-any-return]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def current(kind: int, c: FloatArray, x: float, v: float) -> float:
    """Return the current through the gap, A."""
    if kind != POINT_CONTACT:
        return linear_conductance(kind, c, x) * v  # type: ignore[no-any-return]
    total = 0.0
    channels = len(c) - 6
    for k in range(channels):
        top = c[5] * ((k + 0.5) / channels - x)
        passed = softplus(c[4] * (0.5 * v - top)) - softplus(-c[4] * (0.5 * v + top))
        total += c[6 + k] / c[4] * passed
    return total


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def gap_voltage(
    kind: int, c: FloatArray, x: float, applied: float, limit: float, resistance: float
) -> float:
    """Return the voltage that a source leaves at the gap, V.

    It grows with the voltage of the source, so a root is bracketed; the current of the point
    contact is not linear, which takes a few steps of Newton's method.
    """
    sign = 1.0 if applied >= 0.0 else -1.0
    source = abs(applied)
    if kind != POINT_CONTACT:
        g = linear_conductance(kind, c, x)
        return sign * min(source / (1.0 + resistance * g), limit / g)  # type: ignore[no-any-return]
    # a channel passes at least half of what its zero-bias conductance says
    small = current(kind, c, x, READ * 1e-3) / (READ * 1e-3)
    high = min(source, 2.0 * limit / small)
    low, v = 0.0, high
    for _ in range(80):
        through = current(kind, c, x, v)
        above = max(v + resistance * through - source, (through - limit) / small)
        if above > 0.0:
            high = v
        else:
            low = v
        if high - low <= 1e-12 * high or above == 0.0:
            break
        step = 1e-6 * (v + 1e-6)
        further = current(kind, c, x, v + step)
        beyond = max(v + step + resistance * further - source, (further - limit) / small)
        new = v - above * step / (beyond - above)
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - v) <= 1e-13 * v:
            v = new
            break
        v = new
    return sign * v  # type: ignore[no-any-return]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def between(first: float, last: float, part: float) -> float:
    """Interpolate between two values of a programme, of which both may be infinite."""
    if np.isinf(first) or np.isinf(last):
        return last
    return first + (last - first) * part


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def driven_rate(
    kind: int, c: FloatArray, x: float, applied: float, limit: float, resistance: float
) -> float:
    """Return dx/dt at the voltage that the source leaves at the gap, 1/s."""
    v = gap_voltage(kind, c, x, applied, limit, resistance)
    return state_rate(kind, c, x, v)  # type: ignore[no-any-return]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def implicit_stage(
    kind: int,
    c: FloatArray,
    base: float,
    weight: float,
    start: float,
    applied: float,
    limit: float,
    resistance: float,
) -> float:
    """Solve y = base + weight f(y) for y from 0 to 1; the nearest end where there is no root."""
    low, high = 0.0, 1.0
    y = min(max(start, 0.0), 1.0)
    for _ in range(80):
        value = y - base - weight * driven_rate(kind, c, y, applied, limit, resistance)
        if value > 0.0:
            high = y
        else:
            low = y
        step = 1e-7 * (y + 1e-5)
        if y + step > 1.0:
            step = -step
        beyond = (
            y + step - base - weight * driven_rate(kind, c, y + step, applied, limit, resistance)
        )
        slope = (beyond - value) / step
        new = y - value / slope if slope > 0.0 else -1.0
        if not low <= new <= high:
            new = 0.5 * (low + high)
        if abs(new - y) <= 1e-11 * (y + 1e-6):
            y = new
            break
        y = new
    return y


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def integrate(
    kind: int,
    c: FloatArray,
    state: float,
    time: FloatArray,
    applied: FloatArray,
    limit: FloatArray,
    resistance: float,
    tolerance: float,
) -> tuple[FloatArray, FloatArray]:
    """Integrate the state through a programme that is linear between its points.

    Returns
    -------
    state, voltage : ndarray, shape (n_points,)
        x, and the voltage at the gap, V.
    """
    count = len(time)
    states, voltages = np.empty(count), np.empty(count)
    x = state
    step = np.inf
    states[0] = x
    voltages[0] = gap_voltage(kind, c, x, applied[0], limit[0], resistance)
    for point in range(1, count):
        length = time[point] - time[point - 1]
        done = 0.0
        while done < length:
            h = min(step, length - done)
            last = h >= length - done
            part1 = min((done + _GAMMA * h) / length, 1.0)
            part2 = 1.0 if last else (done + h) / length
            v1 = between(applied[point - 1], applied[point], part1)
            l1 = between(limit[point - 1], limit[point], part1)
            y1 = implicit_stage(kind, c, x, _GAMMA * h, x, v1, l1, resistance)
            k1 = (y1 - x) / (_GAMMA * h)
            v2 = between(applied[point - 1], applied[point], part2)
            l2 = between(limit[point - 1], limit[point], part2)
            base = x + (1.0 - _GAMMA) * h * k1
            y2 = implicit_stage(kind, c, base, _GAMMA * h, y1, v2, l2, resistance)
            # the first-order solution beside it tells the error
            k2 = (y2 - base) / (_GAMMA * h)
            other = min(max(x + h * ((1.0 - _GAMMA) * k2 + _GAMMA * k1), 0.0), 1.0)
            here = current(kind, c, y2, READ)
            error = abs(np.log(current(kind, c, other, READ) / here))
            if error > 4.0 * tolerance and h > 1e-9 * length:
                step = h * max(0.2, 0.8 * np.sqrt(tolerance / error))
                continue
            x = y2
            done = length if last else done + h
            step = h * min(4.0, max(0.3, 0.8 * np.sqrt(tolerance / (error + 1e-300))))
        states[point] = x
        voltages[point] = gap_voltage(kind, c, x, applied[point], limit[point], resistance)
    return states, voltages


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def currents(kind: int, c: FloatArray, states: FloatArray, voltages: FloatArray) -> FloatArray:
    """Return the currents of states and voltages, A, shape (n_points,)."""
    found = np.empty(len(states))
    for point in range(len(states)):
        found[point] = current(kind, c, states[point], voltages[point])
    return found
