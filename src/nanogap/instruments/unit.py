"""A unit as a server needs it, whatever it speaks."""

from typing import TYPE_CHECKING, Protocol

from nanogap.instruments.faults import CommandError, ErrorQueue

if TYPE_CHECKING:
    from nanogap.instruments.channel import Bench  # with the device that it may drive


class Unit(Protocol):
    """A unit that answers messages."""

    bench: "Bench"
    errors: ErrorQueue
    #: Ends of a message that are understood, and that of an answer.
    terminators: bytes
    #: Longest message, bytes.
    longest: int

    def handle(self, message: bytes) -> bytes:
        """Carry out one message and return the answer, which may be empty."""

    def forget(self) -> None:
        """Forget what a lost client left half-said; what is set stays, as on the real unit."""

    def complain(self, fault: CommandError) -> bytes:
        """Put an error into the queue, and return what the client is told, if it is."""
