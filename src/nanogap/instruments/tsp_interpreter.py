"""Parsed scripts of the 2600, carried out on the objects that they name."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from nanogap.instruments.faults import CommandError
from nanogap.instruments.tsp_grammar import (
    Assign,
    Binary,
    Call,
    Expression,
    Index,
    Loop,
    Negative,
    Path,
    Statement,
    Table,
    Value,
)
from nanogap.instruments.tsp_objects import RUNTIME, Attribute, Function, Node, Readings

#: Statements that one message may make run, and variables that a client may have.
_MOST_STATEMENTS, _MOST_VARIABLES = 500_000, 1000


class Interpreter:
    """Carries out statements.

    Parameters
    ----------
    root : Node
        The unit's own names.
    complain : callable
        Gets what is wrong without ending a script.
    """

    def __init__(self, root: Node, complain: Callable[[CommandError], object]) -> None:
        self._root, self._complain = root, complain
        self._variables: dict[str, Any] = {}
        self._left = 0

    def run(self, statements: Sequence[Statement]) -> None:
        """Carry out a chunk; an error of a value is queued, one of the language ends it.

        Raises
        ------
        CommandError
            If the script cannot go on.
        """
        self._left = _MOST_STATEMENTS
        self._run(statements)

    def _run(self, statements: Sequence[Statement]) -> None:
        for statement in statements:
            self._count()
            try:
                if isinstance(statement, Assign):
                    self._assign(statement)
                elif isinstance(statement, Loop):
                    self._loop(statement)
                else:
                    self._path(statement.path)
            except CommandError as fault:
                if fault.code == RUNTIME:
                    raise
                self._complain(fault)

    def _count(self) -> None:
        """Count a statement, or a round of a loop."""
        self._left -= 1
        if self._left < 0:
            raise _runtime(f"a script runs {_MOST_STATEMENTS} statements at most")

    def _loop(self, loop: Loop) -> None:
        first, last, step = (
            self._number(self._value(one)) for one in (loop.first, loop.last, loop.step)
        )
        if step == 0.0:
            raise _runtime("`for' step is zero")
        # as a float first: the quotient of such numbers may be infinite
        count = min((last - first) / step + 1e-9, float(_MOST_STATEMENTS))
        for number in range(math.floor(max(count, -1.0)) + 1):
            self._count()
            self._set_variable(loop.name, first + number * step)
            self._run(loop.body)

    def _assign(self, statement: Assign) -> None:
        values: list[Any] = []
        for number, expression in enumerate(statement.values):
            several = self._values(expression)
            last = number == len(statement.values) - 1
            values += several if last else several[:1] or [None]
        values += [None] * (len(statement.targets) - len(values))
        for target, value in zip(statement.targets, values, strict=False):
            self._put(target, value)

    def _put(self, target: Path, value: Any) -> None:
        """Give a value to a variable or an attribute."""
        if not target.steps:
            if target.name in self._root.members:
                raise _runtime(f"`{target.name}' of the unit cannot be assigned to")
            self._set_variable(target.name, value)
            return
        owners = self._path(Path(target.name, target.steps[:-1]), strict=True)
        owner = owners[0] if owners else None  # a call may give nothing
        step = target.steps[-1]
        if isinstance(owner, Node):
            name = step if isinstance(step, str) else self._key(step)
            member = owner.members.get(name)
            if isinstance(member, Attribute) and member.set is not None:
                member.set(value)
                return
            kind = "is read-only" if member is not None else "is not known to the virtual unit"
            raise _runtime(f"{target} {kind}")
        if isinstance(owner, list) and not isinstance(owner, Readings) and isinstance(step, Index):
            place = self._place(step, len(owner) + 1)
            owner[place - 1 : place] = [value]
            return
        raise _runtime(f"attempt to index `{target.name}' (a {_kind(owner)} value)")

    def _set_variable(self, name: str, value: Any) -> None:
        if name not in self._variables and len(self._variables) >= _MOST_VARIABLES:
            raise _runtime(f"more than {_MOST_VARIABLES} variables")
        self._variables[name] = value

    def _value(self, expression: Expression) -> Any:
        """Return the first value of an expression."""
        values = self._values(expression)
        return values[0] if values else None

    def _values(self, expression: Expression) -> list[Any]:
        """Return the values of an expression: a call may have several, or none."""
        if isinstance(expression, Value):
            return [expression.value]
        if isinstance(expression, Path):
            return self._path(expression)
        if isinstance(expression, Negative):
            return [-self._number(self._value(expression.operand))]
        if isinstance(expression, Binary):
            return [self._binary(expression)]
        if isinstance(expression, Table):
            return [[self._value(one) for one in expression.items]]
        raise _runtime("attempt to evaluate what is no expression")

    def _binary(self, expression: Binary) -> float:
        left = self._number(self._value(expression.left))
        right = self._number(self._value(expression.right))
        try:
            if expression.sign == "+":
                return left + right
            if expression.sign == "-":
                return left - right
            return left * right if expression.sign == "*" else left / right
        except (ZeroDivisionError, OverflowError):
            raise _runtime("a division by zero, or a number too large") from None

    def _path(self, path: Path, *, strict: bool = False) -> list[Any]:
        """Follow a path to its values; if strict, the last may not be unknown either."""
        if path.name in self._variables:
            values = [self._variables[path.name]]
        elif path.name in self._root.members:
            values = [self._member(self._root, path.name, path)]
        else:
            values = [None]
        for number, step in enumerate(path.steps):
            value = values[0] if values else None
            if isinstance(step, Call):
                values = self._call(value, step, path)
            elif isinstance(value, Node):
                name = step if isinstance(step, str) else self._key(step)
                follow = path.steps[number + 1 :]
                values = [self._member(value, name, path, strict=strict or bool(follow))]
            elif isinstance(value, list) and isinstance(step, Index):
                values = [value[self._place(step, len(value)) - 1]]
            elif isinstance(value, Readings) and step == "getreading":
                readings = value
                values = [Function(lambda place, got=readings: self._reading(got, place), "")]
            else:
                raise _runtime(f"attempt to index part of `{path}' (a {_kind(value)} value)")
        return values

    def _reading(self, readings: Readings, place: Any) -> tuple[float]:
        """Return one of the readings, counted from 1."""
        number = self._number(place)
        if not (number.is_integer() and 1 <= number <= len(readings)):
            raise _runtime(f"there is no reading {number:g}")
        return (readings[int(number) - 1],)

    def _member(self, node: Node, name: str, path: Path, *, strict: bool = False) -> Any:
        """Return a member of a table; of one that it has not, nil, with an error in the queue."""
        if name not in node.members:
            fault = _runtime(f"{path} is not known to the virtual unit")
            if strict:
                raise fault
            self._complain(fault)
            return None
        member = node.members[name]
        return member.get() if isinstance(member, Attribute) else member

    def _call(self, function: Any, step: Call, path: Path) -> list[Any]:
        if not isinstance(function, Function):
            raise _runtime(f"attempt to call `{path}' (a {_kind(function)} value)")
        given: list[Any] = []
        for number, argument in enumerate(step.arguments):
            several = self._values(argument)
            last = number == len(step.arguments) - 1
            given += several if last else several[:1] or [None]
        try:
            function.signature.bind(*given)
        except TypeError:
            raise _runtime(f"wrong number of arguments of `{path}'") from None
        return list(function.call(*given))

    def _key(self, step: object) -> str:
        """Return the name of a numbered member of a table."""
        place = self._value(step.place) if isinstance(step, Index) else None
        if isinstance(place, str):
            return place
        number = self._number(place)
        return str(int(number)) if number.is_integer() else str(number)

    def _place(self, step: Index, most: int) -> int:
        number = self._number(self._value(step.place))
        if not (number.is_integer() and 1 <= number <= most):
            raise _runtime(f"there is no place {number:g} in a list of {most}")
        return int(number)

    @staticmethod
    def _number(value: Any) -> float:
        if not isinstance(value, float) or not math.isfinite(value):
            raise _runtime(f"attempt to perform arithmetic on a {_kind(value)} value")
        return value


def _kind(value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "boolean"
    return {float: "number", str: "string", Function: "function"}.get(type(value), "table")


def _runtime(what: str) -> CommandError:
    return CommandError(RUNTIME, f"TSP Runtime error: {what}")
