"""Errors of commands, and the queue in which a unit keeps them for its client."""

from collections import deque
from dataclasses import dataclass

#: Errors that a queue holds; the last place says that there were more.
_LONGEST_QUEUE = 100
#: Characters of a message.
_LONGEST_MESSAGE = 300


class CommandError(Exception):
    """A command that cannot be done; it never leaves the unit.

    Parameters
    ----------
    code : int
        Of the unit's manual.
    message : str
    """

    def __init__(self, code: int, message: str) -> None:
        printable = "".join(one if one.isascii() and one.isprintable() else "?" for one in message)
        super().__init__(printable[:_LONGEST_MESSAGE])
        self.code = code


@dataclass(frozen=True)
class Fault:
    """An error in the queue.

    Attributes
    ----------
    code : int
        0: the queue was empty.
    message : str
    """

    code: int
    message: str


class ErrorQueue:
    """Errors, oldest first.

    Examples
    --------
    >>> queue = ErrorQueue()
    >>> queue.put(CommandError(-285, "unexpected symbol"))
    >>> queue.next().code, queue.next().message
    (-285, 'Queue Is Empty')
    """

    def __init__(self) -> None:
        self._faults: deque[Fault] = deque()
        #: Errors since the beginning, those of cleared queues too.
        self.total = 0

    def __len__(self) -> int:
        return len(self._faults)

    def put(self, fault: CommandError) -> None:
        """Add an error; the last place of a full queue says that it is full."""
        self.total += 1
        if len(self._faults) >= _LONGEST_QUEUE - 1:
            if len(self._faults) < _LONGEST_QUEUE:
                self._faults.append(Fault(-350, "Queue overflow"))
            return
        self._faults.append(Fault(fault.code, str(fault)))

    def next(self) -> Fault:
        """Take out the oldest error."""
        return self._faults.popleft() if self._faults else Fault(0, "Queue Is Empty")

    def clear(self) -> None:
        """Forget all."""
        self._faults.clear()
