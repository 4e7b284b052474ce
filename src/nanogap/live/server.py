"""The page of a device that is driven by hand: what it is told, and what it may turn."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from nanogap.arguments import shown
from nanogap.device.measurement import Point
from nanogap.errors import SettingsError
from nanogap.live.about import about
from nanogap.live.loopback import (
    CSV,
    JSON,
    Answer,
    Page,
    PageServer,
    json_answer,
    nothing_at,
    six_digits,
    whole,
)
from nanogap.live.player import Player

#: Files of the page, by their addresses.
_FILES = {
    "/": "index.html",
    "/live.css": "live.css",
    "/live.js": "live.js",
    "/curves.js": "curves.js",
    "/plots.js": "plots.js",
    "/atoms.js": "atoms.js",
}
#: Readings of an answer.
_MOST_READINGS = 4000


class LivePage(Page):
    """The page of a device that is driven by hand.

    Parameters
    ----------
    player : Player
    server : PageServer

    Attributes
    ----------
    player : Player
    """

    def __init__(self, player: Player, server: PageServer) -> None:
        super().__init__(server, _FILES)
        self.player = player

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """Give the state, or what is saved; change nothing."""
        if path == "/api/about":
            return json_answer(asdict(about(self.player.driven)))
        if path == "/api/state":
            return json_answer(self._state(query))
        if path == "/readings.csv":
            return Answer(self.player.table().encode(), CSV, "readings.csv")
        if path == "/record.json":
            content = json.dumps(self.player.record(), indent=1).encode()
            return Answer(content, JSON, "record.json")
        raise nothing_at(path)

    def _state(self, query: Mapping[str, str]) -> dict[str, object]:
        """Gather what is new to a page: it says which readings and atoms it has."""
        player = self.player
        moment = player.moment()
        same = whole(query, "run", -1) == moment.run
        known = whole(query, "readings", 0)
        first = known if same else 0
        scene = player.scene()
        return {
            **asdict(moment),
            "interval": moment.knobs.interval,
            "first": first,
            "rows": [_row(point) for point in player.readings(first, _MOST_READINGS)],
            "latest": _latest(player),
            "scene": None if whole(query, "scene", -1) == scene.number else asdict(scene),
            "pages": max(self.open_pages(query.get("page", "")), 1),
        }

    def post(self, path: str, content: Mapping[str, object]) -> object:
        """Turn knobs, play, pause or reset."""
        player = self.player
        if path == "/api/knobs":
            return asdict(player.turn(content))
        if path == "/api/play":
            playing = content.get("playing")
            if not isinstance(playing, bool):
                raise SettingsError(f"playing = {shown(playing)}: give true or false")
            player.play(playing)
            return {"playing": playing}
        if path == "/api/reset":
            seed = content.get("seed")
            if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
                raise SettingsError(f"seed = {shown(seed)}: give a whole number from 0 on")
            player.reset(seed)
            return {"run": player.moment().run}
        raise nothing_at(path)


def _row(point: Point) -> list[float | None]:
    """Write what the page draws of a reading: see ``COLUMNS`` of live.js."""
    values = point.time, point.voltage, point.current, point.gap_voltage, point.conductance
    return [*map(six_digits, values), int(point.compliance)]


def _latest(player: Player) -> dict[str, object] | None:
    """Say all of the latest reading; None before the first."""
    points = player.driven.points
    if not points:
        return None
    point = points[-1]
    return {
        "time": point.time,
        "voltage": point.voltage,
        "current": point.current,
        "gap_voltage": point.gap_voltage,
        "conductance": point.conductance,
        "compliance": point.compliance,
        "bridged": point.bridged,
        "ions": point.n_ions,
        "events": sum(point.events),
    }
