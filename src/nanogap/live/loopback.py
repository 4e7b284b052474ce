"""Pages on a port of this machine, from the standard library alone.

Only programs of this machine reach them. A page of another site that the browser shows cannot drive
them either: the Host of a request must be this server (against names that are bound to 127.0.0.1
later), and what changes something is a POST of JSON, which other origins may not send.
"""

import json
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Self
from urllib.parse import parse_qs, urlsplit

from nanogap import __version__
from nanogap.arguments import shown
from nanogap.errors import NanogapError, SettingsError
from nanogap.instruments.server import LOOPBACK, port_refused

logger = logging.getLogger(__name__)

JSON, CSV = "application/json; charset=utf-8", "text/csv; charset=utf-8"
_KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
}
#: Bytes of a request's body, wall time of a client for a request, s.
_MOST_BODY, _PATIENCE = 4096, 30.0
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


@dataclass(frozen=True)
class Answer:
    """Content of an answer.

    Attributes
    ----------
    content : bytes
    kind : str
        Of the content, for the browser.
    name : str
        Of the file that the browser saves it as; empty: it shows it.
    """

    content: bytes
    kind: str = JSON
    name: str = ""


def json_answer(content: object) -> Answer:
    """Return something as JSON."""
    return Answer(json.dumps(content).encode())


def nothing_at(path: str) -> RefusedError:
    """Return the refusal of an address at which there is nothing."""
    return RefusedError(HTTPStatus.NOT_FOUND, f"there is nothing at {shown(path)}")


class Page(ABC):
    """A page on a port, and its questions.

    Parameters
    ----------
    server : PageServer
        Its port is given back with `close`.
    files : mapping of str to str
        Names of the files of the page, by their addresses.

    Attributes
    ----------
    port : int
    address : str
        For a browser of this machine.
    """

    def __init__(self, server: "PageServer", files: Mapping[str, str]) -> None:
        self._server, self._files = server, files
        self._pages: dict[str, float] = {}
        self._lock = threading.Lock()
        server.page = self
        self.port = int(server.server_address[1])
        self.address = f"http://{LOOPBACK}:{self.port}/"
        self._thread = threading.Thread(target=self.serve, daemon=True)

    @abstractmethod
    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """Answer a question that changes nothing."""

    def post(self, path: str, content: Mapping[str, object]) -> object:
        """Do what is asked for, and return what is told of it."""
        del content
        raise nothing_at(path)

    def file(self, path: str) -> Answer | None:
        """Return a file of the page, if it is one."""
        name = self._files.get(path)
        return None if name is None else Answer(asset(name), _KINDS[name.rpartition(".")[2]])

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

    def open_pages(self, page: str = "") -> int:
        """Note that a page asked, and count those that are open."""
        now = time.monotonic()
        with self._lock:
            if page and len(self._pages) < _MOST_PAGES:
                self._pages[page[:40]] = now
            self._pages = {key: last for key, last in self._pages.items() if now - last < _OPEN}
            return len(self._pages)


class PageServer(ThreadingHTTPServer):
    """A port of this machine; a `Page` answers on it.

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
    page: Page

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
        """Do what the page asks for."""
        self._reply(self._post)

    def log_message(self, *_: object) -> None:
        """Write no line for every request."""

    def _reply(self, answer: Callable[[], Answer]) -> None:
        """Answer a request, or refuse it with a sentence."""
        try:
            self._check_host()
            self._send(answer())
        except RefusedError as refusal:
            self.close_connection = True  # what it sent besides is not read
            self._send(json_answer({"error": str(refusal)}), refusal.status)
        except NanogapError as error:
            self._send(json_answer({"error": str(error)}), HTTPStatus.BAD_REQUEST)

    def _check_host(self) -> None:
        """Refuse who asks for another server, or comes from the page of one."""
        if self.headers.get("Host", "") not in self.server.page.hosts():
            raise RefusedError(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"this server is {self.server.page.address}: open that address",
            )

    def _get(self) -> Answer:
        parts, page = urlsplit(self.path), self.server.page
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        return page.file(parts.path) or page.get(parts.path, query)

    def _post(self) -> Answer:
        content = self._body()
        return json_answer(self.server.page.post(urlsplit(self.path).path, content))

    def _body(self) -> dict[str, object]:
        """Read the JSON object of a request."""
        origin = self.headers.get("Origin")
        own = {f"http://{one}" for one in self.server.page.hosts()}
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

    def _send(self, answer: Answer, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        headers = {**_HEADERS, "Content-Type": answer.kind}
        if answer.name:
            headers["Content-Disposition"] = f'attachment; filename="{answer.name}"'
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.content)


@cache
def asset(name: str) -> bytes:
    """Return a file of a page."""
    return (resources.files("nanogap.live") / "page" / name).read_bytes()


def whole(query: Mapping[str, str], key: str, default: int) -> int:
    """Return a whole number of a query; where there is none, or -1, the default."""
    value = query.get(key, "-1")
    if value == "-1":
        return default
    if not (value.isascii() and value.isdecimal() and len(value) < 16):
        raise SettingsError(f"{key} = {shown(value)}: give a whole number from 0 on")
    return int(value)


def six_digits(value: float) -> float | None:
    """Return a number to the six digits that a page draws; None of what is none, for JSON."""
    rounded = float(f"{value:.6g}")
    return rounded if abs(rounded) < float("inf") else None
