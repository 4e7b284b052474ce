"""A thread in which a device that is driven by hand goes on, at the speed that is asked for.

Only this thread touches the device. Others turn knobs, which count from the next reading on, and
look at what was read.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

from nanogap.device.measurement import Point
from nanogap.errors import NanogapError, SettingsError
from nanogap.instruments.loads import prepared_device
from nanogap.live.hand_driven import HandDriven, Record
from nanogap.live.knobs import Knobs, turned
from nanogap.live.scene import Scene, scene

logger = logging.getLogger(__name__)

#: Wall time over which the speed that is reached is measured, between two looks while paused, and
#: for which a page that looked is still there, s.
_WINDOW, _GLANCE, _ATTENTION = 3.0, 0.05, 3.0
#: Wall time by which readings may be late before the beat is that of the latest, s.
_SLACK = 0.1
#: Least wall time between two scenes, s, and their largest share of it.
_SCENE_PAUSE, _SCENE_SHARE = 0.08, 0.2
#: Largest seed.
_MOST_SEED = 2**63


@dataclass(frozen=True)
class Moment:
    """State that a page is told of.

    Attributes
    ----------
    run : int
        Resets so far.
    playing : bool
    knobs : Knobs
        As they were turned last.
    seed : int
        Of the device.
    readings : int
    time : float
        s of the device.
    reached : float or None
        Seconds of the device in a second of the wall, lately; None while paused.
    busy : float
        Wall time of the reading under way, s.
    error : str
        Why the device stopped; empty if it did not.
    """

    run: int
    playing: bool
    knobs: Knobs
    seed: int
    readings: int
    time: float
    reached: float | None
    busy: float
    error: str


class Player:
    """A device that goes on in a thread of its own, from the beginning of a ``with`` to its end.

    Parameters
    ----------
    driven : HandDriven
    playing : bool
        Whether it begins at once.

    Attributes
    ----------
    driven : HandDriven
        The present one; a reset makes another.
    """

    def __init__(self, driven: HandDriven, *, playing: bool = False) -> None:
        self.driven = driven
        self._change = threading.Condition()
        self._pending: dict[str, object] = {}
        self._knobs = driven.knobs
        self._playing, self._stopped, self._run = playing, False, 0
        self._new_seed: int | None = None
        self._error = ""
        self._scene = scene(driven.device, 0)
        self._watched, self._next_scene, self._shown = 0.0, 0.0, self._shape()
        self._begun: float | None = None
        self._due = 0.0
        self._paces: deque[tuple[float, float]] = deque()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._stopped = True
            self._change.notify_all()
        # a long reading is not waited for: the thread ends with the process
        self._thread.join(timeout=2.0)

    def turn(self, changes: Mapping[str, object]) -> Knobs:
        """Turn knobs, from the next reading on, and return all of them.

        Raises
        ------
        SettingsError
            If there is no such knob, or a value is out of its range.
        """
        with self._change:
            self._knobs = turned(self._knobs, changes, self.driven.ranges)
            self._pending.update(changes)
            self._change.notify_all()
            return self._knobs

    def play(self, playing: bool) -> None:
        """Let the time of the device pass, or let it rest."""
        with self._change:
            self._playing = playing and not self._error
            self._paces.clear()
            self._change.notify_all()

    def reset(self, seed: int | None = None) -> None:
        """Begin anew with a fresh device at 0 V, after the reading under way; then rest.

        Parameters
        ----------
        seed : int, optional
            Of the new device. Default: that of the present one.

        Raises
        ------
        SettingsError
            If the seed is out of range.
        """
        if seed is not None and not 0 <= seed < _MOST_SEED:
            raise SettingsError(f"seed = {seed}: give a whole number from 0 to {_MOST_SEED - 1}")
        with self._change:
            self._new_seed = self.driven.device.settings.seed if seed is None else seed
            self._change.notify_all()
            self._change.wait_for(lambda: self._new_seed is None or self._stopped, timeout=60.0)

    def moment(self) -> Moment:
        """Return what there is to say of the present."""
        with self._change:
            driven, begun = self.driven, self._begun
            return Moment(
                run=self._run,
                playing=self._playing,
                knobs=self._knobs,
                seed=driven.device.settings.seed,
                readings=len(driven.points),
                time=driven.device.time,
                reached=self._reached(),
                busy=0.0 if begun is None else time.monotonic() - begun,
                error=self._error,
            )

    def readings(self, first: int, most: int) -> list[Point]:
        """Return readings from a number on."""
        return self.driven.points[first : first + most]

    def scene(self) -> Scene:
        """Return the latest atoms; while somebody asks for them they follow the device."""
        self._watched = time.monotonic()
        return self._scene

    def table(self) -> str:
        """Return all readings as CSV; see `HandDriven.table`."""
        return self.driven.table()

    def record(self) -> Record:
        """Return what makes the readings again; see `HandDriven.record`."""
        return self.driven.record()

    def _work(self) -> None:
        """Go on until the end."""
        while self._wait():
            try:
                self._step()
            except NanogapError as error:
                self._fail(str(error))
            except Exception as error:  # a fault of this program is told on the page
                logger.exception("internal error, please report it")
                self._fail(f"internal error, please report it: {type(error).__name__}: {error}")

    def _fail(self, sentence: str) -> None:
        with self._change:
            self._error, self._playing, self._begun = sentence, False, None
            self._new_seed = None
            self._change.notify_all()

    def _wait(self) -> bool:
        """Wait until there is something to do; False at the end."""
        with self._change:
            while not self._stopped and not self._playing and self._new_seed is None:
                self._change.wait(_GLANCE)
                self._look()
            return not self._stopped

    def _step(self) -> None:
        """Begin anew if that was asked for, or take a reading and wait until it is due."""
        if self._new_seed is not None:
            self._begin(self._new_seed)
            return
        with self._change:
            changes, self._pending = self._pending, {}
            self._begun = begun = time.monotonic()
        driven = self.driven
        driven.turn(changes)
        driven.read()
        self._look()
        with self._change:
            self._begun = None
            # what is late is not caught up with: the page says the speed that is reached
            self._due = max(self._due, begun - _SLACK) + driven.knobs.interval / driven.knobs.speed
            while (early := self._due - time.monotonic()) > 0.0 and not self._stopped:
                if not self._playing or self._new_seed is not None:
                    break
                self._change.wait(early)
            self._paces.append((time.monotonic(), driven.device.time))
            while len(self._paces) > 2 and self._paces[-1][0] - self._paces[1][0] > _WINDOW:
                self._paces.popleft()

    def _begin(self, seed: int) -> None:
        """Put a fresh device in place of the present one."""
        settings = self.driven.device.settings.model_copy(update={"seed": seed})
        fresh = HandDriven(prepared_device(settings))
        with self._change:
            kept = asdict(self._knobs) | {"voltage": 0.0, "current": 0.0}
            fresh.turn(kept)
            self.driven, self._knobs, self._pending = fresh, fresh.knobs, {}
            self._run, self._playing, self._error = self._run + 1, False, ""
            self._scene = scene(fresh.device, self._scene.number + 1)
            self._paces.clear()
            self._new_seed = None
            self._change.notify_all()

    def _reached(self) -> float | None:
        """Speed over the last seconds, that of a long reading under way included."""
        if not self._playing or len(self._paces) < 2:
            return None
        (wall, device), (last, latest) = self._paces[0], self._paces[-1]
        # a reading that takes longer than those before it slows down what is told
        now = time.monotonic()
        under_way = now - last if self._begun is not None and now - last > 1.0 else 0.0
        return (latest - device) / max(last - wall + under_way, 1e-9)

    def _look(self) -> None:
        """Gather the atoms, if somebody looks and they moved, not too often."""
        now = time.monotonic()
        if now < self._next_scene or now - self._watched > _ATTENTION:
            return
        shape = self._shape()
        if shape == self._shown:
            return
        self._scene, self._shown = scene(self.driven.device, self._scene.number + 1), shape
        cost = time.monotonic() - now
        self._next_scene = now + max(_SCENE_PAUSE, cost / _SCENE_SHARE)

    def _shape(self) -> tuple[int, float]:
        """Return what tells whether the atoms may have moved: the device, and its time."""
        return self._run, self.driven.device.time
