"""A virtual unit on a socket: one client at a time, whatever it sends.

Messages are bounded, and so is the time in which a client must take its answers. What a client
leaves half-said is forgotten when it goes; what it set stays, as on the real unit, until the server
ends and switches every output off. A second client gets a sentence.
"""

import contextlib
import logging
import queue
import socket
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from nanogap.errors import SettingsError
from nanogap.instruments.faults import CommandError
from nanogap.instruments.unit import Unit

logger = logging.getLogger(__name__)

#: Only programs of this machine reach the first; the second is every network that it is on.
LOOPBACK, NETWORK = "127.0.0.1", "0.0.0.0"  # noqa: S104 only where the user says so
#: Time in which a client must take an answer, and between two looks at whether to stop, s.
_PATIENCE, _GLANCE = 10.0, 0.2
#: Bytes of one read.
_CHUNK = 65_536
_BUSY = b"busy: this unit serves one client at a time\n"
#: "Input buffer over-run" of IEEE 488.2.
_OVERRUN = -363
#: "Execution error" of IEEE 488.2.
_EXECUTION = -200


@dataclass
class Served:
    """Numbers of what was served so far.

    Attributes
    ----------
    clients, refused : int
    messages : int
    """

    clients: int = 0
    refused: int = 0
    messages: int = 0


class Pace:
    """Time of the device against that of the wall.

    Without a speed only what the unit itself takes is time for the device, and it answers as soon
    as it is computed: the same commands give the same readings. With one, a second of the wall is
    so many seconds of the device, pauses of the client too.

    Parameters
    ----------
    speed : float or None
    unit : Unit
    """

    def __init__(self, speed: float | None, unit: Unit) -> None:
        if speed is not None and not 0.0 < speed <= 1e9:
            raise SettingsError(f"speed = {speed:g}: it must be above 0, up to 1e9")
        self._speed, self._unit = speed, unit
        self._wall, self._device = time.monotonic(), unit.bench.time

    def before(self) -> None:
        """Let the time pass for the device that passed on the wall."""
        if self._speed is not None:
            due = self._device + (time.monotonic() - self._wall) * self._speed
            if due > self._unit.bench.time:
                self._unit.bench.wait(due - self._unit.bench.time)

    def after(self) -> None:
        """Wait until the wall is as late as the device."""
        if self._speed is None:
            return
        early = (self._unit.bench.time - self._device) / self._speed
        early -= time.monotonic() - self._wall
        if early > 0.0:
            time.sleep(early)


def port_refused(port: int, host: str, error: OSError | OverflowError) -> str:
    """Say why a port cannot be served, and what helps."""
    reason = (getattr(error, "strerror", None) or str(error)).partition(" (")[0]
    return (
        f"port {port} of {host} cannot be served: {reason}: choose another port, or 0 for any that "
        "is free"
    )


class Server:
    r"""A unit on a socket.

    Parameters
    ----------
    unit : Unit
    port : int
        0: any that is free.
    host : str
        `LOOPBACK` or `NETWORK`.
    speed : float, optional
        Seconds of the device in one of the wall; see `Pace`.

    Attributes
    ----------
    port : int
    served : Served

    Raises
    ------
    SettingsError
        If the port cannot be had.

    Examples
    --------
    >>> import socket
    >>> from nanogap.instruments import make_unit
    >>> with Server(make_unit("keithley-2614b", "resistor"), port=0).in_background() as server:
    ...     with socket.create_connection((LOOPBACK, server.port)) as client:
    ...         client.sendall(b"print(localnode.model)\n")
    ...         client.recv(100)
    b'2614B\n'
    """

    def __init__(
        self, unit: Unit, port: int, host: str = LOOPBACK, speed: float | None = None
    ) -> None:
        self.unit, self.served = unit, Served()
        self._pace = Pace(speed, unit)
        self._stop = threading.Event()
        self._waiting: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        self._occupied = threading.Lock()
        self._thread: threading.Thread | None = None
        try:
            self._listener = socket.create_server((host, port))
        except (OSError, OverflowError) as error:
            raise SettingsError(port_refused(port, host, error)) from None
        self._listener.settimeout(_GLANCE)
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Serve until `stop`, or an exception; then every output is off."""
        doorman = threading.Thread(target=self._receive, daemon=True)
        doorman.start()
        try:
            while not self._stop.is_set():
                with contextlib.suppress(queue.Empty):
                    client = self._waiting.get(timeout=_GLANCE)
                    try:
                        self._attend(client)
                    finally:
                        self._occupied.release()
        finally:
            self._stop.set()
            self.unit.bench.off()
            self.unit.bench.record.close()
            doorman.join()
            self._listener.close()

    def stop(self) -> None:
        """End `serve` after the command under way."""
        self._stop.set()

    def in_background(self) -> Self:
        """Serve in a thread of its own, from the beginning of a ``with`` to its end."""
        self._thread = threading.Thread(target=self.serve, daemon=True)
        return self

    def __enter__(self) -> Self:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _receive(self) -> None:
        """Let one client in at a time, and send the others away with a sentence."""
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:  # nobody came
                continue
            if self._occupied.acquire(blocking=False):
                self.served.clients += 1
                self._waiting.put(client)
                continue
            self.served.refused += 1
            with client, contextlib.suppress(OSError):
                client.settimeout(_GLANCE)
                client.sendall(_BUSY)
                client.shutdown(socket.SHUT_RDWR)

    def _attend(self, client: socket.socket) -> None:
        """Answer a client until it goes."""
        inbox = _Inbox(self.unit.terminators, self.unit.longest)
        with client, contextlib.suppress(OSError):  # it went in the middle
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.settimeout(_GLANCE)
            while not self._stop.is_set():
                try:
                    received = client.recv(_CHUNK)
                except TimeoutError:
                    continue
                if not received:
                    break
                for message in inbox.messages(received):
                    self._answer(client, message)
                    if self._stop.is_set():
                        break
        self.unit.forget()

    def _answer(self, client: socket.socket, message: bytes | None) -> None:
        """Answer one message; None: it was too long."""
        self.served.messages += 1
        try:
            self._pace.before()
            answer = self._overrun() if message is None else self.unit.handle(message)
        except CommandError as fault:
            answer = self.unit.complain(fault)
        except Exception as error:  # a fault of this program must not end a measurement
            logger.exception("internal error, please report it: %r", message)
            answer = self.unit.complain(
                CommandError(_EXECUTION, f"Execution error: {type(error).__name__} in the unit")
            )
        self._pace.after()
        if answer:
            client.settimeout(_PATIENCE)
            client.sendall(answer)
            client.settimeout(_GLANCE)

    def _overrun(self) -> bytes:
        """Complain of a message that was too long."""
        longest = self.unit.longest
        return self.unit.complain(
            CommandError(_OVERRUN, f"Input buffer over-run: a message has {longest} bytes at most")
        )


class _Inbox:
    """Cuts what arrives into messages."""

    def __init__(self, terminators: bytes, longest: int) -> None:
        self._ends, self._longest = terminators, longest
        self._rest, self._overrun = bytearray(), False

    def messages(self, received: bytes) -> list[bytes | None]:
        """Return the messages that are whole; None for one that is too long."""
        found: list[bytes | None] = []
        for byte in received:
            if byte in self._ends:
                if not self._overrun:
                    found.append(bytes(self._rest))
                self._rest.clear()
                self._overrun = False
            elif not self._overrun:
                self._rest.append(byte)
                if len(self._rest) > self._longest:
                    found.append(None)
                    self._rest.clear()
                    self._overrun = True
        return found
