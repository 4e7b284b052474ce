"""Units of columns: symbols, words, and what programs make of them in names."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from nanogap.units import CONDUCTANCE_QUANTUM

_SIEMENS = 1.0 / CONDUCTANCE_QUANTUM

#: Prefix to factor.
_PREFIXES = {
    "": 1.0,
    "a": 1e-18,
    "f": 1e-15,
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
}
_PREFIX_WORDS = {
    "atto": "a",
    "femto": "f",
    "pico": "p",
    "nano": "n",
    "micro": "u",
    "mikro": "u",
    "milli": "m",
    "kilo": "k",
    "mega": "M",
    "giga": "G",
    "tera": "T",
}
# symbol, prefixes that occur, words (in lower case, without accents), of every quantity
_BASES: dict[str, tuple[str, str, str]] = {
    "current": ("A", "afpnumk", "amp amps ampere amperes amper amperios"),
    "voltage": ("V", "pnumk", "volt volts voltios"),
    "time": (
        "s",
        "fpnum",
        "sec secs second seconds sekunde sekunden secondi secondes segundos sek seg",
    ),
    "conductance": ("S", "afpnumk", "siemens mho mhos"),
    "resistance": ("Ohm", "umkMGT", "ohm ohms ohmios"),
}
_LONG_TIMES = {
    **dict.fromkeys(("min", "mins", "minute", "minutes", "minuten", "minuti", "minutos"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunden", "ore", "heures"), 3600.0),
    **dict.fromkeys(("d", "day", "days", "tage"), 86400.0),
}
_CHINESE = {
    "安培": "A",
    "安": "A",
    "伏特": "V",
    "伏": "V",
    "欧姆": "Ohm",
    "欧": "Ohm",
    "西门子": "S",
} | {
    "秒": "s",
    "分": "min",
    "小时": "h",
    "毫": "m",
    "微": "u",
    "纳": "n",
    "皮": "p",
    "千": "k",
    "兆": "M",
}
#: How the reader is told which units there are.
KNOWN_UNITS = {
    "time": "s, ms, us, ns, ps, fs, min, h, d",
    "voltage": "V, kV, mV, uV, nV",
    "current": "A, mA, uA, nA, pA, fA, aA",
    "conductance": "G0 (or 2e^2/h), e^2/h, S, mS, uS, nS, pS, log10(G/G0)",
    "resistance": "ohm, mOhm, kohm, Mohm, Gohm",
}
_MULTIPLIER = re.compile(
    r"(?:x\s*)?(?:1e(?P<e>[+-]?\d{1,2})|10\^?\(?(?P<power>[+-]\d{1,2}|(?<=\^)\d{1,2})\)?)\s*"
    r"[x*]?\s*(?P<unit>\D.*)"
)
_LOGARITHM = re.compile(
    r"(?P<base>log_?\{?10\}?|log|lg|ln)\s*\(?\s*\|?(?P<what>[^()]*(?:\([^()]*\))?[^()]*)\)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Unit:
    """A unit that is understood.

    Attributes
    ----------
    quantity : str
        Time, voltage, current, conductance or resistance.
    factor : float
        To the unit of a measurement dataset: s, V, A, G0, ohm.
    base : float
        Of the logarithm that the numbers are; 0 if they are none.
    """

    quantity: str
    factor: float
    base: float = 0.0


def plain(text: str) -> str:
    """Write a header cell with one kind of micro sign, ohm sign, minus sign and digits."""
    found = unicodedata.normalize(
        "NFKC", text.replace("\N{LATIN CAPITAL LETTER A WITH CIRCUMFLEX}\N{MICRO SIGN}", "u")
    )
    found = found.replace("\N{GREEK SMALL LETTER MU}", "u").replace("\N{MINUS SIGN}", "-")
    found = found.replace("\N{GREEK CAPITAL LETTER OMEGA}", "Ohm")
    return re.sub(r"\s+", " ", found).strip().strip("\"'").strip()


def parse_unit(text: str, quantity: str | None = None) -> Unit | None:
    """Understand a unit.

    Parameters
    ----------
    text : str
        Such as ``uA``, ``kOhms``, ``milliamps``, ``in Volt``, ``2e^2/h``, ``log10(G/G0)``.
    quantity : str, optional
        What the name of the column says; with it, ``MA`` or ``ma`` of a current is a milliampere.

    Returns
    -------
    Unit or None
        None if it is no unit, or could be several (``mohm``).
    """
    found = plain(text)
    while len(found) > 1 and found[0] + found[-1] in {"()", "[]", "{}", "<>"}:
        found = found[1:-1].strip()
    found = re.sub(r"^in\s+", "", found)
    found = re.sub(r"(?<=[A-Za-z])\s+dc$", "", found, flags=re.IGNORECASE).removesuffix(".")
    for sign, symbol in _CHINESE.items():
        found = found.replace(sign, symbol)
    if not found:
        return None
    logarithm = _LOGARITHM.fullmatch(found)
    if logarithm:
        return _logarithm(logarithm["base"], logarithm["what"])
    times = _MULTIPLIER.fullmatch(found)
    if times:
        unit = parse_unit(times["unit"], quantity)
        power = 10.0 ** int(times["e"] or times["power"])
        return Unit(unit.quantity, unit.factor * power) if unit and not unit.base else None
    return _quantum(found) or _simple(found, quantity) or _quotient(found)


def unit_row(names: Sequence[str], units: Sequence[str]) -> list[str] | None:
    """Join a line of names and the line of units below it; None if the latter is none.

    Parameters
    ----------
    names, units : sequence of str
        Cells of two lines of one table.

    Returns
    -------
    list of str or None
        ``name (unit)`` for every column.
    """
    if len(names) < len(units) or not any(unit.strip() for unit in units):
        return None
    filled = [*units, *[""] * (len(names) - len(units))]
    for name, unit in zip(names, filled, strict=True):
        bare = plain(unit).strip("()[]{} ")
        if bare and parse_unit(bare) is None and bare not in {"-", "1", "#", "a.u.", "arb. units"}:
            return None
        if bare and not name.strip():
            return None
    stripped = [plain(unit).strip("()[]{} ") for unit in filled]
    if not any(parse_unit(unit) for unit in stripped):
        return None
    return [
        f"{name} ({unit})" if parse_unit(unit) else name
        for name, unit in zip(names, stripped, strict=True)
    ]


def _logarithm(base: str, what: str) -> Unit | None:
    """Logarithm of a conductance against a named one; others have no certain meaning."""
    ratio = re.sub(r"[\s_{}|^*$\\\[\]()]", "", what).casefold()
    reference = re.fullmatch(r"(?:g|conductance)?/?(g[0o]|2e2/h|s|siemens)", ratio)
    if not reference or ratio in {"s", "siemens"}:
        return None
    factor = _SIEMENS if reference[1].startswith("s") else 1.0
    # log without a base: break-junction histograms are decadic throughout
    return Unit("conductance", factor, 2.718281828459045 if base.casefold() == "ln" else 10.0)


def _quantum(text: str) -> Unit | None:
    """Conductance in units of G0 = 2 e^2/h or of e^2/h."""
    bare = re.sub(r"[\s_{}^*$\\\[\]()]", "", text)
    found = re.fullmatch(r"(?:G/)?(?P<prefix>[mun]?)(?:[Gg][0oO]|2e2/h)", bare)
    if found:
        return Unit("conductance", _PREFIXES[found["prefix"]])
    return Unit("conductance", 0.5) if re.fullmatch(r"(?:G/)?e2/h", bare) else None


def _simple(text: str, quantity: str | None) -> Unit | None:
    """Prefix and symbol, or words."""
    for kind, (symbol, prefixes, _) in _BASES.items():
        prefix = text.removesuffix(symbol)
        if text.endswith(symbol) and (not prefix or (len(prefix) == 1 and prefix in prefixes)):
            if quantity in {"time", "conductance"} and kind != quantity and symbol in "sS":
                break  # 'TIME (S)': the name decides
            return _unit(kind, prefix)
    lower = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(letter)
    )
    if lower in _LONG_TIMES and (len(lower) > 1 or text.islower() or quantity == "time"):
        return Unit("time", _LONG_TIMES[lower])
    return _in_words(text, lower) or _in_capitals(lower, quantity)


def _in_words(text: str, lower: str) -> Unit | None:
    """Words, with or without a prefix: milliamps, kOhms, VOLTS."""
    if lower in {"mohm", "mohms"} and text.startswith("m") and "O" not in text:
        return None  # mega or milli: in lower case nobody knows
    for kind, (_, prefixes, words) in _BASES.items():
        for word in words.split():
            before = text[: len(text) - len(word)].strip(" -")
            prefix = _PREFIX_WORDS.get(before.casefold(), before).replace("K", "k")
            known = not prefix or (len(prefix) == 1 and prefix in prefixes)
            if lower.endswith(word) and known:
                return _unit(kind, prefix)
    return None


def _in_capitals(lower: str, quantity: str | None) -> Unit | None:
    """Symbol in another case than it should have, where the name says what it is."""
    if quantity not in _BASES or quantity == "resistance":
        return None
    symbol, prefixes, _ = _BASES[quantity]
    prefix = lower[:-1]
    fits = lower[-1:] == symbol.casefold() and (not prefix or prefix in list(prefixes))
    return _unit(quantity, prefix) if fits else None


def _quotient(text: str) -> Unit | None:
    """A/V and 1/ohm are conductances, V/A is a resistance."""
    found = re.fullmatch(r"(?P<above>[^/]+)/(?P<below>[^/]+)", text) or re.fullmatch(
        r"(?P<above>)(?P<below>\D+?)\^?-1", text
    )
    below = _simple(found["below"].strip(), None) if found else None
    if not found or below is None:
        return None
    one = found["above"].strip() in {"", "1"}
    above = Unit("one", 1.0) if one else _simple(found["above"].strip(), None)
    if above is None:
        return None
    ratio = above.factor / below.factor
    kinds = (above.quantity, below.quantity)
    if kinds in {("current", "voltage"), ("one", "resistance")}:
        return Unit("conductance", _SIEMENS * ratio)
    return Unit("resistance", ratio) if kinds == ("voltage", "current") else None


def _unit(quantity: str, prefix: str) -> Unit:
    """Make the unit of a quantity with an SI prefix."""
    return Unit(quantity, _PREFIXES[prefix] * (_SIEMENS if quantity == "conductance" else 1.0))
