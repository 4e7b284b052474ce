"""The part of the 2600's script language that drivers send, parsed into a tree: nothing is run.

Its grammar::

    chunk     = { statement [";"] }
    statement = ["local"] path { "," path } "=" expr { "," expr } | call
              | "for" name "=" expr "," expr ["," expr] "do" chunk "end"
    expr      = term { ("+" | "-") term };  term = factor { ("*" | "/") factor }
    factor    = number | string | "true" | "false" | "nil" | "-" factor | "(" expr ")" | path
              | "{" [expr { "," expr }] "}"
    path      = name { "." name | "[" expr "]" | "(" [expr { "," expr }] ")" }

There are no functions, no conditions, no loops but the counted one: what a program may do is
bounded by what is written in it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from nanogap.instruments.faults import CommandError

#: "TSP Syntax error" of the 2600's manual.
SYNTAX = -285
#: How deep expressions and loops may lie in each other, and terms of one sum or product.
_DEEPEST, _MOST_TERMS = 20, 100

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+|--[^\n]*)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<sign>[-+*/=(){}\[\].,;])",
    re.ASCII,
)
_WORDS = {"for", "do", "end", "local", "true", "false", "nil"}
#: Words of the language that this subset has not.
_REFUSED = {"and", "break", "else", "elseif", "function", "if", "in", "not", "or", "repeat"} | {
    "return",
    "then",
    "until",
    "while",
}


@dataclass(frozen=True)
class Value:
    """A constant: number, text, truth or nil."""

    value: float | str | bool | None


@dataclass(frozen=True)
class Negative:
    """The negative of an expression."""

    operand: "Expression"


@dataclass(frozen=True)
class Binary:
    """Sum, difference, product or quotient."""

    sign: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Table:
    """A list of expressions."""

    items: tuple["Expression", ...]


@dataclass(frozen=True)
class Index:
    """An index: what stands in brackets after a path."""

    place: "Expression"


@dataclass(frozen=True)
class Call:
    """A call: what stands in parentheses after a path."""

    arguments: tuple["Expression", ...]


@dataclass(frozen=True)
class Path:
    """A name, and what follows it."""

    name: str
    steps: tuple[str | Index | Call, ...] = ()

    def __str__(self) -> str:
        shown = self.name
        for step in self.steps:
            shown += (
                f".{step}" if isinstance(step, str) else ("[]" if isinstance(step, Index) else "()")
            )
        return shown


Expression = Value | Negative | Binary | Table | Path


@dataclass(frozen=True)
class Assign:
    """An assignment."""

    targets: tuple[Path, ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True)
class Run:
    """A call as a statement."""

    path: Path


@dataclass(frozen=True)
class Loop:
    """A counted loop."""

    name: str
    first: Expression
    last: Expression
    step: Expression
    body: "tuple[Statement, ...]"


Statement = Assign | Run | Loop


def parse(text: str) -> tuple[Statement, ...]:
    """Parse a chunk.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of Statement

    Raises
    ------
    CommandError
        If it is none.

    Examples
    --------
    >>> str(parse("smua.source.levelv = 0.5")[0].targets[0])
    'smua.source.levelv'
    """
    return _Parser(text).chunk_to_end()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


def _tokens(text: str) -> list[_Token]:
    """Cut a chunk into tokens, the last of which is its end."""
    found, place, line = [], 0, 1
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _syntax(line, f"unexpected symbol near `{text[place : place + 10]}'")
        kind, part = str(match.lastgroup), match.group()
        if kind != "space":
            if part in _REFUSED:
                raise _syntax(line, f"`{part}' is no part of the language that is understood here")
            found.append(_Token("word" if part in _WORDS else kind, part, line))
        line += part.count("\n")
        place = match.end()
    return [*found, _Token("end", "<eof>", line)]


def _syntax(line: int, what: str) -> CommandError:
    return CommandError(SYNTAX, f"TSP Syntax error at line {line}: {what}")


def _constant(token: _Token) -> Value | None:
    """Return a token as a constant, if it is one."""
    if token.kind == "number":
        return Value(float(token.text))
    if token.kind == "string":
        return Value(re.sub(r"\\(.)", r"\1", token.text[1:-1]))
    if token.kind == "word" and token.text in {"true", "false", "nil"}:
        return Value({"true": True, "false": False, "nil": None}[token.text])
    return None


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._place = 0
        self._depth = 0

    @property
    def _now(self) -> _Token:
        return self._tokens[self._place]

    def chunk_to_end(self) -> tuple[Statement, ...]:
        """Parse all."""
        found = self._chunk()
        if self._now.kind != "end":
            raise self._unexpected()
        return found

    def _unexpected(self) -> CommandError:
        return _syntax(self._now.line, f"unexpected symbol near `{self._now.text}'")

    def _take(self, text: str) -> bool:
        """Go past a sign or a word if it is next."""
        if self._now.text == text and self._now.kind in {"sign", "word"}:
            self._place += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise _syntax(self._now.line, f"`{text}' expected near `{self._now.text}'")

    def _name(self) -> str:
        if self._now.kind != "name":
            raise _syntax(self._now.line, f"<name> expected near `{self._now.text}'")
        self._place += 1
        return self._tokens[self._place - 1].text

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _syntax(self._now.line, "chunk has too many syntax levels")

    def _chunk(self) -> tuple[Statement, ...]:
        self._deeper()
        found: list[Statement] = []
        while self._now.kind != "end" and self._now.text != "end":
            if not self._take(";"):
                found.append(self._statement())
        self._depth -= 1
        return tuple(found)

    def _statement(self) -> Statement:
        if self._take("for"):
            return self._loop()
        local = self._take("local")
        targets = [self._path()]
        while self._take(","):
            targets.append(self._path())
        if not local and len(targets) == 1 and self._now.text != "=":
            if targets[0].steps and isinstance(targets[0].steps[-1], Call):
                return Run(targets[0])
            raise self._unexpected()
        for target in targets:
            if target.steps and isinstance(target.steps[-1], Call):
                raise self._unexpected()
        if local and self._now.text != "=":
            return Assign(tuple(targets), (Value(None),))
        self._expect("=")
        values = [self._expression()]
        while self._take(","):
            values.append(self._expression())
        return Assign(tuple(targets), tuple(values))

    def _loop(self) -> Loop:
        name = self._name()
        self._expect("=")
        first = self._expression()
        self._expect(",")
        last = self._expression()
        step = self._expression() if self._take(",") else Value(1.0)
        self._expect("do")
        body = self._chunk()
        self._expect("end")
        return Loop(name, first, last, step, body)

    def _expression(self) -> Expression:
        self._deeper()
        found = self._chain({"+", "-"}, self._term)
        self._depth -= 1
        return found

    def _term(self) -> Expression:
        return self._chain({"*", "/"}, self._factor)

    def _chain(self, signs: set[str], operand: Callable[[], Expression]) -> Expression:
        """Parse operands with signs between them."""
        found = operand()
        for _ in range(_MOST_TERMS):
            if self._now.kind != "sign" or self._now.text not in signs:
                return found
            sign = self._now.text
            self._place += 1
            found = Binary(sign, found, operand())
        raise _syntax(self._now.line, "an expression has too many terms")

    def _factor(self) -> Expression:
        constant = _constant(self._now)
        if constant is not None:
            self._place += 1
            return constant
        if self._take("-"):
            self._deeper()
            negative = Negative(self._factor())
            self._depth -= 1
            return negative
        if self._take("("):
            inner = self._expression()
            self._expect(")")
            return inner
        if self._take("{"):
            return Table(self._listed("}"))
        return self._path()

    def _path(self) -> Path:
        name = self._name()
        steps: list[str | Index | Call] = []
        while True:
            if self._take("."):
                steps.append(self._name())
            elif self._take("["):
                place = self._expression()
                self._expect("]")
                steps.append(Index(place))
            elif self._take("("):
                steps.append(Call(self._listed(")")))
            else:
                return Path(name, tuple(steps))

    def _listed(self, closing: str) -> tuple[Expression, ...]:
        """Parse expressions with commas between them up to a closing sign."""
        found: list[Expression] = []
        while not self._take(closing):
            if found:
                self._expect(",")
                if closing == "}" and self._take(closing):
                    break
            found.append(self._expression())
        return tuple(found)
