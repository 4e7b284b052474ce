"""Names of columns: the quantity, the terminal and the unit that a header cell speaks of."""

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache

from nanogap.io.column_units import Unit, parse_unit, plain

# of two-terminal devices with several recorded terminals, the one whose readings are the device's
_TERMINALS = ("anode", "an", "a", "drain", "ds", "sd", "d", "top", "te", "smua", "smu1", "ch1")
_GATES = {"gate", "g", "gs", "gd", "gb", "sg", "bg", "tg", "backgate", "topgate"}

_WORDS: dict[str, re.Pattern[str]] = {
    "date": re.compile(r"(.*date|datum|data|fecha|日期|日付)"),
    "fraction": re.compile(r"(fraction(al)?seconds?|(milli|micro)seconds?|fraction(al)?)"),
    "time": re.compile(
        r"(t|time|times|timestamps?|.*time(stamps?)?|.*timevalues?|elapsed.*|seconds|date/?time"
        r"|.*zeit|zeitstempel|tempo|temps|tiempo|tijd|.*[时時][间間刻])"
    ),
    "voltage": re.compile(
        r"(volts?|.*voltage.*|.*bias|.*volt|sourcev|smu[ab]v|<?e(we|cell)>?|potential"
        r"|.*spannung.*|(?!.*ex).*tensi(on|one|ao).*|voltaje|.*spanning|.*[电電][压圧壓].*)"
    ),
    "current": re.compile(
        r"(amps?|amperes?|.*current.*|.*amp|readi|smu[ab]i|<i>"
        r"|.*strom.*|.*stroom.*|.*corrente.*|.*courant.*|.*corriente.*|.*[电電]流.*)"
    ),
    "conductance": re.compile(
        r"(g|g/?g[0o]|(?!.*trans).*conductance.*|transmission|gnorm|leitwert|conduttanza"
        r"|conductancia|condutancia|.*[电電][导導].*)"
    ),
    "resistance": re.compile(
        r"(r|.*resistance.*|.*widerstand|resistenza|resistencia|.*[电電]阻.*|抵抗)"
    ),
    "cycle": re.compile(r"(cycle.*|sweep(no|number|index)?|loop|run(no|number)?|zyklus)"),
    "compliance": re.compile(
        r"((in)?compliance(status|flag|reached)?|.*compl|(over)?limit(reached|ed|status)?)"
    ),
}
_SHORT = re.compile(r"(?P<letter>[viu])_?(?P<rest>[a-z0-9]{0,8})")
_TERMINAL = re.compile(r"(?P<terminal>[A-Za-z][A-Za-z0-9_ .]*?)[_ .]?(?P<letter>[VIvi])")
_MEASURED = {"meas", "measured", "read", "reading", "readings", "sense", "sensed", "actual", "ist"}
_MEASURED |= {"monitor", "mon", "gemessen", "misurata", "mesure", "mesuree", "medida"}
_PROGRAMMED = {"set", "source", "src", "sourced", "programmed", "prog", "nominal", "applied", "app"}
_PROGRAMMED |= {"force", "forced", "target", "setpoint", "soll", "control", "desired", "level"}
_LIMITS = {"limit", "limits", "lim", "compliance", "compl", "comp", "cc", "protection", "clamp"}
_LIMITS |= {"max", "maximum", "limite", "grenze", "begrenzung"}
_NOT_READINGS = {"range", "density", "error", "err", "std", "stdev", "sd", "sigma", "uncertainty"}
_NOT_READINGS |= {"status", "flag", "unit", "units", "step", "index", "leakage", "leak", "abs"}
_NOT_READINGS |= {"deviation", "variance", "derivative", "offset"}
_COUNTED = re.compile(
    r"(current|actual)[\s_]*(cycle|sweep|loop|step|run|index|number|time)s?", re.IGNORECASE
)
_LIMIT_STEMS = re.compile(r"limit|complian|begrenz|leckstrom")
# what looks like a unit, so that it is not passed over where it is none that is understood
_UNIT_LIKE = re.compile(r"[a-zA-Z]{0,5}(ohms?|amps?|volts?|siemens)|[a-zA-Z][AV]", re.IGNORECASE)
_INNER_UNIT = re.compile(r"(?<![A-Za-z0-9])([munpfa]A|[mun]V|[kMG][oO]hms?|[mun]S)(?![A-Za-z0-9])")
_LOGARITHM = re.compile(
    r"(log_?\{?(10|e)?\}?|lg|ln|logarithm(ic)?)(?![a-z])|log(?=g|i\b|r\b|cond|curr|res)",
    re.IGNORECASE,
)
_OWN_UNITS = re.compile(r"(min|std|h|d|s|V|A|S)\b")
_QUALIFIERS = {*_MEASURED, *_PROGRAMMED, *_LIMITS, *_TERMINALS[:2], "drain", "gate", "top", "local"}
_QUALIFIERS |= {"bottom", "cathode", "elapsed", "relative", "raw", "abs", "utc", "2-wire", "4-wire"}
_CLOCK_UNITS = re.compile(
    r"(utc|local|[hdmsyf0:./\- ]*(hh|mm|ss|dd|yy)[hdmsyf0:./\- ]*)", re.IGNORECASE
)
_TEMPERATURES = {"k", "c", "degc", "\N{DEGREE SIGN}c", "celsius", "kelvin", "f", "\N{DEGREE SIGN}f"}


@dataclass(frozen=True)
class HeaderCell:
    """A header cell in its parts.

    Attributes
    ----------
    name : str
        Without the unit.
    unit_text : str
        The unit as written; empty if there is none.
    unit : Unit or None
        The unit, if it is understood.
    quantity : str or None
        What the name, or else the unit, says.
    rank : int
        How surely it is the reading of the device; lower is surer.
    terminal : bool
        Whether the rank is that of a terminal.
    conflict : bool
        Whether name and unit speak of different quantities.
    """

    name: str
    unit_text: str = ""
    unit: Unit | None = None
    quantity: str | None = None
    rank: int = 50
    terminal: bool = False
    conflict: bool = False


@lru_cache(maxsize=4096)  # files of one instrument have the same names
def read_header(cell: str) -> HeaderCell:
    """Take a header cell apart: ``I (uA)``, ``I/uA``, ``Current_uA_``, ``Current..uA.``, ..."""
    name, unit_text = split_unit(cell)
    if name == "log" and parse_unit(unit_text) is None:
        about = "conductance" if re.search(r"\bg\b|logg|cond", unit_text.casefold()) else None
        return HeaderCell(name, unit_text, None, about)
    if not unit_text and len(name) > 1 and _INNER_UNIT.fullmatch(name):
        quantity, rank, terminal = None, 50, False
    else:
        quantity, rank, terminal = named_quantity(name)
    if quantity == "time" and unit_text.casefold() in _TEMPERATURES:
        return HeaderCell(name, unit_text)
    if quantity == "time" and _CLOCK_UNITS.fullmatch(unit_text) and not parse_unit(unit_text):
        return HeaderCell(name, "", None, "time", rank)
    unit = parse_unit(unit_text, None if quantity == "excluded" else quantity)
    if quantity is None or quantity == "excluded":
        return _by_unit(HeaderCell(name, unit_text, unit, quantity, rank))
    return _by_name(HeaderCell(name, unit_text, unit, quantity, rank, terminal), cell)


def _by_unit(cell: HeaderCell) -> HeaderCell:
    """Give a name that says nothing the quantity of its unit."""
    unit = cell.unit
    if cell.quantity is None and not cell.unit_text and not _OWN_UNITS.match(cell.name):
        unit = parse_unit(cell.name)  # a column may be called after its unit: 'mA', 'Seconds'
    known = unit is not None and (cell.quantity is None or unit.base)
    quantity = unit.quantity if unit and known else None
    rank = 30 + _favour(_tokens(cell.name)) if quantity else cell.rank
    return HeaderCell(cell.name, cell.unit_text, unit, quantity, rank)


def _by_name(cell: HeaderCell, text: str) -> HeaderCell:
    """Compare the quantity of a name with that of its unit."""
    if cell.quantity == "fraction":
        return replace(cell, unit=cell.unit or parse_unit(cell.name))
    if cell.quantity == "compliance" and cell.unit is not None:
        return replace(cell, quantity=None)  # the limit itself, not whether it was reached
    if cell.quantity in {"cycle", "compliance", "date"}:
        return replace(cell, unit=None)
    conflict = cell.unit is not None and cell.unit.quantity != cell.quantity
    if conflict and f"{cell.name}/{cell.unit_text}" == plain(text).replace(" ", ""):
        return HeaderCell(text)  # a ratio: I/V
    return replace(cell, conflict=conflict)


@lru_cache(maxsize=4096)
def split_unit(cell: str) -> tuple[str, str]:
    """Split a header cell into name and unit: ``I (uA)``, ``I [uA]``, ``I/uA`` or ``I_uA``."""
    text = re.sub(r"0x([0-9A-F]{2})(?![0-9A-F])", lambda m: chr(int(m[1], 16)), plain(cell))
    text = re.sub(r"(\[\d+\])+$", "", text).strip()
    if _LOGARITHM.match(text):
        return "log", text
    for rule in (_bracketed, _mangled, _after_slash, _trailing_unit):
        if (found := rule(text)) is not None:
            return found
    within = _INNER_UNIT.findall(text.replace("_", " "))
    return (text, within[0]) if len(within) == 1 and within[0] != text else (text, "")


def _bracketed(text: str) -> tuple[str, str] | None:
    """Find a unit in brackets, at the end or before further words."""
    found = re.fullmatch(r"(?P<name>.*?)\s*[(\[{](?P<unit>(?:[^()\[\]{}]|\([^()]*\))*)[)\]}]", text)
    if found:
        name, unit = found["name"].rstrip("/ "), found["unit"].strip()
        if unit and not unit.isdecimal() and not _qualifies(unit):
            return name, unit
        inner, inner_unit = split_unit(name)
        return (f"{inner} {unit}".strip() if _qualifies(unit) else inner), inner_unit
    inside = re.fullmatch(r"(?P<name>.+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]\s*(?P<rest>.+)", text)
    if inside and parse_unit(inside["unit"], named_quantity(inside["name"])[0]):
        return f"{inside['name']} {inside['rest']}", inside["unit"]
    return None


def _mangled(text: str) -> tuple[str, str] | None:
    """Find a unit where MATLAB or R wrote lines or dots for what a name can't have."""
    found = re.fullmatch(r"(?P<name>.*?[^_])(?P<gap>_+)(?P<unit>[^_]*)_+", text)
    usual = 1
    if found is None:
        found = re.fullmatch(r"(?P<name>.*?[^.])(?P<gap>\.{2,})(?P<unit>.*?)\.+", text)
        usual = 2
    if found is None:
        return None
    unit = found["unit"]
    if unit.isdecimal():
        return f"{found['name']} {unit}", ""
    # a longer gap before a bare symbol: a micro sign was there
    lost = len(found["gap"]) > usual and len(unit) == 1
    return found["name"], "?" + unit if lost or not unit else unit


def _after_slash(text: str) -> tuple[str, str] | None:
    """Find a unit after a slash, unless it is another quantity: V/I."""
    found = re.fullmatch(r"(?P<name>.+?)\s*/\s*(?P<unit>\S+)", text)
    if found is None or text.casefold() == "date/time":
        return None
    ratio = not parse_unit(found["unit"]) and named_quantity(found["unit"])[0]
    return (text, "") if ratio else (found["name"], found["unit"])


def named_quantity(name: str) -> tuple[str | None, int, bool]:
    """Return the quantity that a name without unit speaks of, and how surely.

    Returns
    -------
    quantity : str or None
        ``excluded`` for limits, ranges, gates and errors, which are never the reading.
    rank : int
        Lower is surer.
    terminal : bool
        Whether the rank is that of a terminal.
    """
    tokens = _tokens(name)
    squeezed = re.sub(r"[\s_\-.]", "", _unaccented(name))
    if _WORDS["compliance"].fullmatch(squeezed):
        return "compliance", 10, False
    if _is_no_reading(name, tokens, squeezed):
        return "excluded", 50, False
    for quantity, pattern in _WORDS.items():
        if pattern.fullmatch(squeezed):
            return quantity, *_rank(tokens, quantity)
    short = _SHORT.fullmatch(squeezed)
    if short and (known := _short(short["letter"], short["rest"])):
        return known
    return _of_terminal(name)


def _is_no_reading(name: str, tokens: set[str], squeezed: str) -> bool:
    """Whether a name is that of a limit, a range, an error, a gate or a derivative."""
    if name in {"dI", "dV", "dG", "dR"} or re.match(r"(d\d?[IVG]\b|\|)", name):
        return True
    never = bool(tokens & (_LIMITS | _NOT_READINGS | {"gate", "backgate", "topgate"}))
    never |= bool(_COUNTED.fullmatch(name) or _LIMIT_STEMS.search(squeezed))
    return never and not _WORDS["cycle"].fullmatch(squeezed)


def _of_terminal(name: str) -> tuple[str | None, int, bool]:
    """Quantity of a name such as AnodeV, DrainI, smua.v."""
    found = _TERMINAL.fullmatch(name)
    if not found or not (found["letter"].isupper() or "." in name or "_" in name):
        return None, 50, False
    who = re.sub(r"[\s_.]", "", found["terminal"]).casefold()
    if who in _GATES | {"abs", "log"}:
        return "excluded", 50, True
    place = _TERMINALS.index(who) if who in _TERMINALS else len(_TERMINALS)
    return {"V": "voltage", "I": "current"}[found["letter"].upper()], 20 + place, True


def _rank(tokens: set[str], quantity: str) -> tuple[int, bool]:
    """Rank of a name in words: terminals by their place, measured before programmed."""
    if quantity in {"voltage", "current"}:
        for place, terminal in enumerate(_TERMINALS):
            if len(terminal) > 2 and terminal in tokens:
                return 20 + place, True
        if tokens & {"cathode", "bottom", "body", "bulk", "smub", "smu2", "ch2"}:
            return 20 + len(_TERMINALS), True
    if quantity == "time":
        stamps = tokens & {"timestamp", "timestamps", "stamp", "absolute", "datetime"}
        return (14 if stamps else 10), False
    return 10 + _favour(tokens), False


def _favour(tokens: set[str]) -> int:
    """Measured readings come before plain names, and these before what was programmed."""
    return -2 if tokens & _MEASURED else 2 if tokens & _PROGRAMMED else 0


def _short(letter: str, rest: str) -> tuple[str, int, bool] | None:
    """Quantity of a symbol with an index, such as V, I2, Vmeas, Id, V_GS, Icc."""
    kind = {"v": "voltage", "u": "voltage", "i": "current"}[letter]
    bare = re.sub(r"(ch)?\d+$", "", rest)
    if bare in {"", "bias", "dut", "tun", "tunnel", "f", "m", "we", "in", "val", "value"}:
        return kind, 10, False
    if bare in _LIMITS | {"range", "step", "cmpl"} or bare in _GATES:
        return "excluded", 50, False
    if bare in _MEASURED | _PROGRAMMED:
        return kind, 10 + _favour({bare}), False
    if bare in _TERMINALS:
        return kind, 20 + _TERMINALS.index(bare), True
    if bare in {"s", "c", "k", "b", "sub", "be", "bot", "cathode"}:
        return kind, 20 + len(_TERMINALS), True
    return None


def _trailing_unit(text: str) -> tuple[str, str] | None:
    """Find a unit at the end, after a blank, a line, a dot, a comma, or nothing."""
    for gap in re.finditer(r"\s*[\s_.,;:\-]+\s*(?:in\s+)?", text):
        name, rest = text[: gap.start()], text[gap.end() :]
        if not name or not rest:
            continue
        quantity = named_quantity(name)[0]
        for candidate in (rest, re.sub(r"^([munpfkaMG])_([a-zA-Z])$", r"\1\2", rest)):
            unit = parse_unit(candidate, quantity)
            if unit is None:
                if quantity in {"voltage", "current", "resistance"} and _UNIT_LIKE.fullmatch(rest):
                    return name, rest
                continue
            fits = quantity in {None, "excluded", unit.quantity, "fraction"}
            # 'Sample A' is no current
            letter = len(candidate) == 1 and quantity is None
            known = _tokens(name) & (_MEASURED | _PROGRAMMED | {"value", "values"})
            if fits and (known or not letter):
                return name, candidate
    glued = re.fullmatch(r"(?P<name>[A-Za-z]{4,}?)(?P<unit>[afpnumkMG]?(?:A|V|S|Ohms?))", text)
    if glued and (unit := parse_unit(glued["unit"])):
        quantity = named_quantity(glued["name"])[0]
        if quantity == unit.quantity:
            return glued["name"], glued["unit"]
    return None


def _qualifies(text: str) -> bool:
    """Whether what stands in brackets tells which reading it is, and no unit."""
    word = text.casefold().strip()
    return word in _QUALIFIERS or bool(re.fullmatch(r"(ch|smu|channel)\s*\w?", word))


def _tokens(name: str) -> set[str]:
    """Words of a name, also of one in camel case, in lower case without accents."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return set(re.split(r"[\W_]+", _unaccented(parted)))


def _unaccented(text: str) -> str:
    """Lower case without accents."""
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(letter)
    )
