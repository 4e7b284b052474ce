r"""Closed solution of two coupled linear equations, driven by straight lines in time.

    x_1' = r_1 x_1 + r_2 x_2 + f_1 + g_1 t
    x_2' = b x_1 - (b + c) x_2 + f_2 + g_2 t

with b > 0, r_1 < 0, r_2 >= 0, c >= 0, whose eigenvalues are real and not positive. In its
eigenvectors each mode obeys y' = lambda y + c_0 + c_1 t, so that

    y(t) = exp(lambda t) y_0 + c_0 t phi_1(lambda t) + c_1 t^2 phi_2(lambda t)

with phi_1(z) = (e^z - 1)/z, phi_{k+1}(z) = (phi_k(z) - 1/k!)/z, the functions of exponential
integrators (Hochbruck & Ostermann, doi:10.1017/S0962492910000048), which need no division by an
eigenvalue that may be zero.
"""

import math
from collections.abc import Callable
from itertools import pairwise

from scipy.optimize import brentq

#: Eigenvalues that differ by less, relatively, are moved apart: x_2 becomes so much slower.
_SEPARATION = 1e-5
#: Terms of a series, at most, and the size of a term that adds nothing any more.
_TERMS, _NEGLIGIBLE = 18, 1e-18


def phi_functions(z: float) -> tuple[float, float, float]:
    """Return phi_1, phi_2 and phi_3 of a number up to 1/2."""
    if z < -0.5:
        one = math.expm1(z) / z
        two = (one - 1.0) / z
        return one, two, (two - 0.5) / z
    # phi_3 = sum z^k/(k+3)!, and back from it without cancellation
    term = three = 1.0 / 6.0
    for k in range(4, 4 + _TERMS):
        term *= z / k
        three += term
        if abs(term) < _NEGLIGIBLE:
            break
    two = 0.5 + z * three
    return 1.0 + z * two, two, three


class _Mode:
    """One eigenvector: y' = rate y + constant + slope t."""

    __slots__ = ("constant", "rate", "slope", "start", "vector", "weight")

    def __init__(
        self, rate: float, vector: tuple[float, float], start: float, constant: float, slope: float
    ) -> None:
        self.rate, self.vector = rate, vector
        self.start, self.constant, self.slope = start, constant, slope
        #: y'' = weight exp(rate t)
        self.weight = rate * (rate * start + constant) + slope

    def at(self, time: float) -> tuple[float, float, float]:
        """Return the value, the derivative and the integral."""
        z = self.rate * time
        growth = math.exp(z)
        one, two, three = phi_functions(z)
        first, second = self.constant * time, self.slope * time * time
        return (
            growth * self.start + first * one + second * two,
            growth * (self.rate * self.start + self.constant) + self.slope * time * one,
            time * (self.start * one + first * two + second * three),
        )

    def highest(self, factor: float, end: float) -> float:
        """Return a bound of factor y(t) up to a time that it does not exceed."""
        last, slope, _ = self.at(end)
        low, high = factor * self.start, factor * last
        if factor * self.weight >= 0.0:  # convex
            return max(low, high)
        before = factor * (self.rate * self.start + self.constant)
        after = factor * slope
        if before <= 0.0 or after >= 0.0:  # monotonic
            return max(low, high)
        # the tangents at both ends lie above a concave function
        return low + before * (high - low - after * end) / (before - after)


class TwoModes:
    """Course of two quantities from their values at the beginning.

    Parameters
    ----------
    start : tuple of float
        x_1 and x_2.
    loop_row : tuple of float
        r_1 and r_2, 1/s.
    charging, leaking : float
        b and c, 1/s.
    forces : tuple of tuple of float
        (f_1, g_1) and (f_2, g_2).
    """

    def __init__(
        self,
        start: tuple[float, float],
        loop_row: tuple[float, float],
        charging: float,
        leaking: float,
        forces: tuple[tuple[float, float], tuple[float, float]],
    ) -> None:
        first, second = loop_row
        corner = -(charging + leaking)
        half, product = 0.5 * (first - corner), second * charging
        root = math.hypot(half, math.sqrt(product))
        if 2.0 * root < _SEPARATION * max(-first, -corner):
            # equal eigenvalues have one eigenvector: a capacitance larger by so little has two
            change = 1.0 - 4.0 * _SEPARATION
            charging, leaking = charging * change, leaking * change
            forces = (forces[0], (forces[1][0] * change, forces[1][1] * change))
            corner = -(charging + leaking)
            half, product = 0.5 * (first - corner), second * charging
            root = math.hypot(half, math.sqrt(product))
        large = abs(half) + root
        small = product / large
        fast = 0.5 * (first + corner) - root
        # determinant without the difference of large numbers: -r_1 (b + c) - r_2 b
        slow = min(0.0, (-first * leaking + charging * (-first - second)) / fast)
        # lambda - r_1 and lambda - corner of either mode
        if half >= 0.0:
            pairs = ((slow, small, large), (fast, -large, -small))
        else:
            pairs = ((slow, large, small), (fast, -small, -large))
        self.modes: list[_Mode] = []
        for rate, to_first, to_corner in pairs:
            # right vector (lambda - corner, b), left vector (b, lambda - r_1)
            norm = charging * (to_first + to_corner)
            left = (charging / norm, to_first / norm)
            self.modes.append(
                _Mode(
                    rate,
                    (to_corner, charging),
                    left[0] * start[0] + left[1] * start[1],
                    left[0] * forces[0][0] + left[1] * forces[1][0],
                    left[0] * forces[0][1] + left[1] * forces[1][1],
                )
            )

    def at(self, time: float) -> tuple[float, float, float, float]:
        """Return x_1 and x_2 at a time, and their integrals up to it."""
        one, other = self.modes
        first, _, first_sum = one.at(time)
        second, _, second_sum = other.at(time)
        return (
            one.vector[0] * first + other.vector[0] * second,
            one.vector[1] * first + other.vector[1] * second,
            one.vector[0] * first_sum + other.vector[0] * second_sum,
            one.vector[1] * first_sum + other.vector[1] * second_sum,
        )


class Forced:
    """A function q_1 x_1(t) + q_2 x_2(t) + constant + slope t.

    Its second derivative is a sum of two exponentials, so it has one zero at most; the first one is
    monotonic on either side of it and has two zeros at most; between these the function itself is
    monotonic. Its first zero is thus found surely.

    Parameters
    ----------
    modes : TwoModes
    factors : tuple of float
        q_1 and q_2.
    constant, slope : float
    """

    def __init__(
        self, modes: TwoModes, factors: tuple[float, float], constant: float, slope: float
    ) -> None:
        self._modes = modes.modes
        self._factors = [
            factors[0] * mode.vector[0] + factors[1] * mode.vector[1] for mode in modes.modes
        ]
        self._constant, self._slope = constant, slope

    def value(self, time: float) -> float:
        """Return the function."""
        parts = zip(self._factors, self._modes, strict=True)
        return sum(f * m.at(time)[0] for f, m in parts) + self._constant + self._slope * time

    def derivative(self, time: float) -> float:
        """Return its first derivative."""
        parts = zip(self._factors, self._modes, strict=True)
        return sum(f * m.at(time)[1] for f, m in parts) + self._slope

    def first_positive(self, end: float) -> float | None:
        """Return when the function first becomes positive.

        Parameters
        ----------
        end : float
            Last time that counts.

        Returns
        -------
        float or None
            None: not before the end. Where it is positive at the beginning already, it is the
            next time that it becomes so.
        """
        parts = zip(self._factors, self._modes, strict=True)
        bound = sum(m.highest(f, end) for f, m in parts)
        if bound + self._constant + max(0.0, self._slope * end) <= 0.0:
            return None
        points = [0.0, *self._inflection(end), end]
        turning = [0.0]
        for begin, stop in pairwise(points):
            low, high = self.derivative(begin), self.derivative(stop)
            if low * high < 0.0:
                turning.append(_zero(self.derivative, begin, stop))
            turning.append(stop)
        before = self.value(0.0)
        for begin, stop in pairwise(turning):
            after = self.value(stop)
            if before <= 0.0 < after:
                return _zero(self.value, begin, stop)
            before = after
        return None

    def _inflection(self, end: float) -> list[float]:
        """Return the zero of the second derivative inside the time, if there is one."""
        one, other = self._modes
        first, second = self._factors[0] * one.weight, self._factors[1] * other.weight
        if first * second >= 0.0:
            return []
        time = math.log(-second / first) / (one.rate - other.rate)
        return [time] if 0.0 < time < end else []


def _zero(function: Callable[[float], float], begin: float, end: float) -> float:
    """Return the zero between two points at which the function has different signs."""
    return float(brentq(function, begin, end, xtol=1e-30, rtol=1e-14, maxiter=500))
