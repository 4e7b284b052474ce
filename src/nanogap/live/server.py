"""The live page on a port of this machine, from the standard library alone.

Only programs of this machine reach it. A page of another site that the browser shows cannot drive
it either: the Host of a request must be this server (against names that are bound to 127.0.0.1
later), and what changes something is a POST of JSON, which other origins may not send.
"""

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from nanogap import __version__
from nanogap.arguments import shown
from nanogap.device.measurement import Point
from nanogap.errors import NanogapError, SettingsError
from nanogap.instruments.server import LOOPBACK, port_refused
from nanogap.live.about import about
from nanogap.live.player import Player

logger = logging.getLogger(__name__)

#: Files of the page, by their addresses, and what they are.
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/live.css": ("live.css", "text/css; charset=utf-8"),
    "/live.js": ("live.js", "text/javascript; charset=utf-8"),
    "/plots.js": ("plots.js", "text/javascript; charset=utf-8"),
    "/atoms.js": ("atoms.js", "text/javascript; charset=utf-8"),
}
_JSON, _CSV = "application/json; charset=utf-8", "text/csv; charset=utf-8"
#: Bytes of a request's body, readings of an answer, wall time of a client for a request, s.
_MOST_BODY, _MOST_READINGS, _PATIENCE = 4096, 4000, 30.0
#: Wall time after its last question for which a page counts as open, s; pages that are counted.
_OPEN, _MOST_PAGES = 3.0, 1000
#: What an answer may do in a browser: nothing but what comes from this server.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class RefusedError(Exception):
    """A request that is answered with a sentence.

    Parameters
    ----------
    status : HTTPStatus
    sentence : str
    """

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class LivePage:
    """The page of a device that is driven by hand.

    Parameters
    ----------
    player : Player
    server : PageServer
        Its port is given back with `close`.

    Attributes
    ----------
    player : Player
    port : int
    address : str
        For a browser of this machine.
    """

    def __init__(self, player: Player, server: "PageServer") -> None:
        self.player = player
        self._pages: dict[str, float] = {}
        self._lock = threading.Lock()
        self._server = server
        server.live = self
        self.port = int(server.server_address[1])
        self.address = f"http://{LOOPBACK}:{self.port}/"
        self._thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self) -> None:
        """Serve until `close`, or an exception."""
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """End `serve` where it runs in a thread, and give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hosts(self) -> set[str]:
        """Names under which a browser of this machine asks for this page."""
        return {f"{name}:{self.port}" for name in (LOOPBACK, "localhost")}

    def open_pages(self, page: str) -> int:
        """Note that a page asked, and count those that are open."""
        now = time.monotonic()
        with self._lock:
            if page and len(self._pages) < _MOST_PAGES:
                self._pages[page[:40]] = now
            self._pages = {key: last for key, last in self._pages.items() if now - last < _OPEN}
            return max(len(self._pages), 1)


class PageServer(ThreadingHTTPServer):
    """A port of this machine; a `LivePage` answers on it.

    Parameters
    ----------
    port : int
        0: any that is free.

    Raises
    ------
    SettingsError
        If the port cannot be had.
    """

    daemon_threads = True  # a browser that keeps its line open does not keep the program alive
    live: LivePage

    def __init__(self, port: int) -> None:
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except (OSError, OverflowError) as error:
            raise SettingsError(port_refused(port, LOOPBACK, error)) from None

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go in the middle of an answer."""
        logger.debug("request of %s broke off", client_address, exc_info=request is not None)


class _Handler(BaseHTTPRequestHandler):
    """Answers one browser."""

    server: PageServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = f"nanogap/{__version__}", ""
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """Give a file of the page, the state, or what is saved; change nothing."""
        self._reply(self._get)

    def do_POST(self) -> None:
        """Turn knobs, play, pause or reset."""
        self._reply(self._post)

    def log_message(self, *_: object) -> None:
        """Write no line for every request."""

    def _reply(self, answer: Any) -> None:
        """Answer a request, or refuse it with a sentence."""
        try:
            self._check_host()
            answer()
        except RefusedError as refusal:
            self.close_connection = True  # what it sent besides is not read
            self._send_json({"error": str(refusal)}, refusal.status)
        except NanogapError as error:
            self._send_json({"error": str(error)}, HTTPStatus.BAD_REQUEST)

    def _check_host(self) -> None:
        """Refuse who asks for another server, or comes from the page of one."""
        if self.headers.get("Host", "") not in self.server.live.hosts():
            raise RefusedError(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"this server is {self.server.live.address}: open that address",
            )

    def _get(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if parts.path in _FILES:
            name, kind = _FILES[parts.path]
            self._send(asset(name), kind)
        elif parts.path == "/api/about":
            self._send_json(asdict(about(self.server.live.player.driven)))
        elif parts.path == "/api/state":
            self._send_json(self._state(query))
        elif parts.path == "/readings.csv":
            self._send_file(self.server.live.player.table().encode(), _CSV, "readings.csv")
        elif parts.path == "/record.json":
            content = json.dumps(self.server.live.player.record(), indent=1).encode()
            self._send_file(content, _JSON, "record.json")
        else:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"there is nothing at {shown(parts.path)}")

    def _state(self, query: Mapping[str, str]) -> dict[str, object]:
        """Gather what is new to a page: it says which readings and atoms it has."""
        player = self.server.live.player
        moment = player.moment()
        same = _whole(query, "run") == moment.run
        known = _whole(query, "readings")
        first = known if same else 0
        scene = player.scene()
        return {
            **asdict(moment),
            "interval": moment.knobs.interval,
            "first": first,
            "rows": [_row(point) for point in player.readings(first, _MOST_READINGS)],
            "latest": _latest(player),
            "scene": None if _whole(query, "scene") == scene.number else asdict(scene),
            "pages": self.server.live.open_pages(query.get("page", "")),
        }

    def _post(self) -> None:
        content = self._body()
        player, path = self.server.live.player, urlsplit(self.path).path
        if path == "/api/knobs":
            self._send_json(asdict(player.turn(content)))
        elif path == "/api/play":
            playing = content.get("playing")
            if not isinstance(playing, bool):
                raise SettingsError(f"playing = {shown(playing)}: give true or false")
            player.play(playing)
            self._send_json({"playing": playing})
        elif path == "/api/reset":
            seed = content.get("seed")
            if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
                raise SettingsError(f"seed = {shown(seed)}: give a whole number from 0 on")
            player.reset(seed)
            self._send_json({"run": player.moment().run})
        else:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"there is nothing at {shown(path)}")

    def _body(self) -> dict[str, object]:
        """Read the JSON object of a request."""
        origin = self.headers.get("Origin")
        own = {f"http://{one}" for one in self.server.live.hosts()}
        if origin is not None and origin not in own:
            raise RefusedError(HTTPStatus.FORBIDDEN, "another page may not turn these knobs")
        if self.headers.get_content_type() != "application/json":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal():
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "say the Content-Length of the body")
        if len(length) > 9 or int(length) > _MOST_BODY:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has {_MOST_BODY} bytes at most"
            )
        try:
            content = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "the body is no JSON") from None
        if not isinstance(content, dict):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
        return content

    def _send_json(self, content: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(content).encode(), _JSON, status)

    def _send_file(self, content: bytes, kind: str, name: str) -> None:
        """Send what the browser saves as a file."""
        self._send(content, kind, more={"Content-Disposition": f'attachment; filename="{name}"'})

    def _send(
        self,
        content: bytes,
        kind: str,
        status: HTTPStatus = HTTPStatus.OK,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for key, value in {**_HEADERS, "Content-Type": kind, **(more or {})}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


@cache
def asset(name: str) -> bytes:
    """Return a file of the page."""
    return (resources.files("nanogap.live") / "page" / name).read_bytes()


def _whole(query: Mapping[str, str], key: str) -> int:
    """Return a whole number of a query; -1 where there is none."""
    value = query.get(key, "-1")
    if value == "-1":
        return 0 if key == "readings" else -1
    if not (value.isascii() and value.isdecimal() and len(value) < 16):
        raise SettingsError(f"{key} = {shown(value)}: give a whole number from 0 on")
    return int(value)


def _row(point: Point) -> list[float]:
    """Write what the page draws of a reading, to six digits: see ``COLUMNS`` of live.js."""
    values = point.time, point.voltage, point.current, point.gap_voltage, point.conductance
    return [*(float(f"{value:.6g}") for value in values), int(point.compliance)]


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
