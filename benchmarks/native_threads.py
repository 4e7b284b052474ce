"""Time of every part of a step of the native kernel, with one thread and with two.

The tips are those of the preset paper-8v at 8 V and 800 K, with their gap open and in contact,
where the potential of the bridge changes faster than the charges can be foreseen. A step takes
4 ms, as long as a busy system lets a program run at a time, so neither the wall time of a step
nor, with two threads, its CPU time tells much there. So every part is timed by itself, with one
and with two threads in turn, and its fastest turn counts: some turns find both cores free. The
time of a step is the sum over its parts, each as often as it comes.

    python -m benchmarks.native_threads [--quick]
"""

import argparse
import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from nanogap.cli.programs import run_main
from nanogap.dynamics.biased_engine import BiasedEngine
from nanogap.dynamics.native import charges, metal, pairs
from nanogap.dynamics.native.motion import Motion
from nanogap.dynamics.native.shares import share_out
from nanogap.dynamics.simulation import Simulation

STEPS = 20
WANTED = 1.7
#: Gap of tips in contact, angstrom.
CONTACT = 3.1
#: Parts of a step that are no loops over pairs.
UPDATE, SERIAL = "update of the potential", "what one thread does alone"


@dataclass(frozen=True)
class Parts:
    """Parts of a step with one number of threads.

    Attributes
    ----------
    fastest : dict of str to float
        Wall time, s.
    often : dict of str to float
        How often a step has the part.
    """

    fastest: dict[str, float]
    often: dict[str, float]

    @property
    def step(self) -> float:
        """Time of a step, s."""
        return sum(self.often[name] * seconds for name, seconds in self.fastest.items())


class Timer:
    """Wall times of the parts of steps.

    Parameters
    ----------
    simulation : Simulation
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._times: dict[str, list[float]] = defaultdict(list)
        self._loops = 0.0
        self._steps = 0

    def advance(self) -> None:
        """Run a chunk, and time its parts."""
        with self._timed():
            self._simulation.advance()

    @property
    def parts(self) -> Parts:
        """Fastest turn of every part."""
        return Parts(
            {name: min(times) for name, times in self._times.items()},
            {name: len(times) / self._steps for name, times in self._times.items()},
        )

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        step, update = Motion.step, BiasedEngine.update

        def timed_loop(threads: int, kernel: Callable[..., None], *rest: Any) -> None:
            begin = time.perf_counter()
            share_out(threads, kernel, *rest)
            seconds = time.perf_counter() - begin
            self._times[kernel.__name__].append(seconds)
            self._loops += seconds

        def timed_step(motion: Motion) -> None:
            self._loops, begin = 0.0, time.perf_counter()
            step(motion)
            self._times[SERIAL].append(time.perf_counter() - begin - self._loops)
            self._steps += 1

        def timed_update(engine: BiasedEngine, biased: bool) -> None:
            begin = time.perf_counter()
            update(engine, biased)
            self._times[UPDATE].append(time.perf_counter() - begin)

        with contextlib.ExitStack() as stack:
            for module in (charges, metal, pairs):
                stack.enter_context(patch.object(module, "share_out", timed_loop))
            stack.enter_context(patch.object(Motion, "step", timed_step))
            stack.enter_context(patch.object(BiasedEngine, "update", timed_update))
            yield


def measure(one: Simulation, two: Simulation, turns: int) -> tuple[Parts, Parts]:
    """Time the parts of a step.

    Parameters
    ----------
    one, two : Simulation
        With one thread and with two; they have run already.
    turns : int
        Chunks that each runs, in turn.
    """
    timers = (Timer(one), Timer(two))
    for _ in range(turns):
        for timer in timers:
            timer.advance()
    return timers[0].parts, timers[1].parts


def speed_up(one: Parts, two: Parts) -> float:
    """Ratio of the speeds with two threads and with one, as often as a step has each part."""
    return one.step / two.step


def main() -> None:
    """Measure and print."""
    from benchmarks.dynamics import heated_tips, ours  # noqa: PLC0415 it needs this module

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="ten turns instead of ninety")
    turns = 10 if parser.parse_args().quick else 90
    print("ms of a step of the paper's tips: one thread, two threads; how often a step has it")
    for title, changes in (("open gap", ()), ("in contact", (f"structure.gap={CONTACT}",))):
        with tempfile.TemporaryDirectory() as name:
            frame = heated_tips(Path(name), *changes)
            both = [ours(frame, Path(name), STEPS, engine="native", threads=n) for n in (1, 2)]
            one, two = measure(both[0], both[1], turns)
        print(title)
        for name in one.fastest:
            times = [1e3 * parts.often[name] * parts.fastest[name] for parts in (one, two)]
            print(f"  {name:26} {times[0]:6.3f} {times[1]:6.3f} {one.often[name]:6.2f}")
        print(f"  {'together':26} {1e3 * one.step:6.3f} {1e3 * two.step:6.3f}")
        print(f"  two threads : one {speed_up(one, two):.2f}, wanted {WANTED:g}")


if __name__ == "__main__":
    run_main(main)
