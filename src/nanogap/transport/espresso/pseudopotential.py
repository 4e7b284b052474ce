"""Pseudopotentials: made with ld1.x where nanogap has an input, or a user's own UPF file.

Ultrasoft pseudopotentials (Vanderbilt, Phys. Rev. B 41, 7892 (1990),
doi:10.1103/PhysRevB.41.7892) are made on demand and kept in the user's cache.
"""

import hashlib
import re
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from nanogap.errors import DataFormatError, EngineError
from nanogap.settings import FirstPrinciplesSettings, cache_folder
from nanogap.transport.espresso.programs import Programs, run_program

#: What pwcond.x can use.
_KINDS = {"NC": "norm-conserving", "SL": "norm-conserving", "US": "ultrasoft", "USPP": "ultrasoft"}
_HEADER = re.compile(r"<PP_HEADER(.*?)/>", re.DOTALL)
_ATTRIBUTE = re.compile(r'(\w+)\s*=\s*"([^"]*)"')
#: Window of a foreign file, of which no header tells, Ry: what the narrowest states here need.
_PLANE_WINDOW = 2.0
#: Cut-offs of a foreign file that states none, and the least the density needs, Ry.
_WAVE_CUTOFF = 50.0
_DENSITY_FACTOR = {"norm-conserving": 4.0, "ultrasoft": 8.0}
_FILE = "pseudopotential.UPF"


#: Spellings of functionals in UPF files (``funct.f90`` of Quantum ESPRESSO), and one name of each.
_FUNCTIONALS = {
    "LDA": "PZ",
    "SLA PZ": "PZ",
    "SLA PZ NOGX NOGC": "PZ",
    "SLA PW PBE PBE": "PBE",
    "SLA PW PBX PBC": "PBE",
    "SLA PW PSX PSC": "PBESOL",
    "SLA PW GGX GGC": "PW91",
    "SLA PW RPB PBC": "REVPBE",
    "SLA PW REVX PBC": "REVPBE",
    "SLA LYP B88 BLYP": "BLYP",
    "B88 LYP": "BLYP",
    "SLA PZ B88 P86": "BP",
    "B88 P86": "BP",
}


@dataclass(frozen=True)
class Pseudopotential:
    """A pseudopotential file that pw.x and pwcond.x can use.

    Attributes
    ----------
    path : Path
    element : str
        Chemical symbol.
    kind : str
        ``ultrasoft`` or ``norm-conserving``.
    valence : float
        Electrons that it describes.
    functional : str
        Exchange and correlation, as the file names it.
    wave_cutoff, density_cutoff : float
        Recommended cut-offs, Ry.
    checksum : str
        Checksum of the file without the date it was made.
    plane_window : float
        Window of energies of pwcond.x's basis in the plane (``ewind``) that its states need, Ry.
    """

    path: Path
    element: str
    kind: str
    valence: float
    functional: str
    wave_cutoff: float
    density_cutoff: float
    checksum: str
    plane_window: float

    @property
    def exchange_correlation(self) -> str:
        """Functional by one name, however the file spells it.

        Quantum ESPRESSO reads ``PBE``, ``SLA PW PBE PBE`` and ``SLA PW PBX PBC`` as the same.
        """
        words = " ".join(self.functional.upper().replace("-", " ").replace("+", " ").split())
        return _FUNCTIONALS.get(words, words)


@dataclass(frozen=True)
class GenerationInput:
    """Packaged inputs of ld1.x from which an element's pseudopotential is made and tested.

    Attributes
    ----------
    element : str
        Chemical symbol.
    valence : float
        Electrons that the pseudopotential describes.
    wave_cutoff, density_cutoff : float
        Recommended cut-offs of pw.x, Ry.
    plane_window : float
        Recommended ``ewind`` of pwcond.x, Ry.
    generation : str
        Input that makes the UPF file.
    test : str
        Input that compares it with the all-electron atom.
    """

    element: str
    valence: float
    wave_cutoff: float
    density_cutoff: float
    plane_window: float
    generation: str
    test: str


def read_pseudopotential(path: Path) -> Pseudopotential:
    """Read the header of a UPF file, and refuse what pwcond.x cannot use.

    Raises
    ------
    DataFormatError
        If the file is missing or truncated, or no UPF file of version 2, or if it is a PAW or
        fully relativistic one.
    """
    if not path.is_file():
        raise DataFormatError(f"no pseudopotential file {path}")
    text = path.read_text(encoding="utf-8", errors="replace")
    header = _HEADER.search(text)
    if "<UPF" not in text or header is None:
        raise DataFormatError(f"{path} is no UPF file of version 2 (no <UPF> with a PP_HEADER)")
    if not text.rstrip().endswith("</UPF>"):
        raise DataFormatError(f"{path} is truncated: it does not end with </UPF>")
    values = {key: value.strip() for key, value in _ATTRIBUTE.findall(header.group(1))}
    if (
        values.get("is_paw", "").lower() in {"true", ".true.", "t"}
        or values.get("pseudo_type", "").upper() == "PAW"
    ):
        raise DataFormatError(
            f"{path} is a PAW data set: pwcond.x matches waves through the projectors of "
            "norm-conserving or ultrasoft pseudopotentials only; give one of those, or none to "
            "have nanogap's own made"
        )
    if values.get("has_so", "").lower() in {"true", ".true.", "t"}:
        raise DataFormatError(
            f"{path} is fully relativistic (spin-orbit): nanogap computes without spin; give a "
            "scalar-relativistic one"
        )
    try:
        return _from_header(path, text, values)
    except (KeyError, ValueError) as error:
        raise DataFormatError(f"{path}: its PP_HEADER lacks or garbles {error}") from None


def _from_header(path: Path, text: str, values: dict[str, str]) -> Pseudopotential:
    kind = _KINDS[values["pseudo_type"].upper()]
    wave = float(values.get("wfc_cutoff", "0").replace("D", "E")) or _WAVE_CUTOFF
    density = float(values.get("rho_cutoff", "0").replace("D", "E"))
    own = next((made for made in map(_packaged, _elements()) if _is_made_from(text, made)), None)
    if own:
        wave, density = own.wave_cutoff, own.density_cutoff
    dateless = re.sub(r"(?im)^.*generation date.*$|date=\"[^\"]*\"", "", text)
    return Pseudopotential(
        path=path,
        element=values["element"].capitalize(),
        kind=kind,
        valence=float(values["z_valence"].replace("D", "E")),
        functional=values.get("functional", "unknown"),
        wave_cutoff=wave,
        density_cutoff=max(density, _DENSITY_FACTOR[kind] * wave),
        checksum=hashlib.sha256(dateless.encode()).hexdigest()[:16],
        plane_window=own.plane_window if own else _PLANE_WINDOW,
    )


def _is_made_from(text: str, source: GenerationInput) -> bool:
    """Whether a UPF file was made from a packaged input: such files contain theirs."""
    found = re.search(r"<PP_INPUTFILE>(.*?)</PP_INPUTFILE>", text, re.DOTALL)
    if not found:
        return False
    written = found.group(1).replace("@input", "&input")
    return "".join(written.split()) == "".join(source.generation.split())


def _elements() -> list[str]:
    folder = resources.files("nanogap.transport") / "data" / "pseudopotentials"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir())


@cache
def _packaged(element: str) -> GenerationInput:
    folder = resources.files("nanogap.transport") / "data" / "pseudopotentials"
    return GenerationInput(**tomllib.loads((folder / f"{element}.toml").read_text("utf-8")))


def generation_input(element: str) -> GenerationInput:
    """Return the packaged input of an element's pseudopotential.

    Raises
    ------
    DataFormatError
        If nanogap has none for the element.
    """
    if element not in _elements():
        raise DataFormatError(
            f"nanogap makes no pseudopotential of {element} (only of {', '.join(_elements())}): "
            "give a UPF file, ultrasoft or norm-conserving"
        )
    return _packaged(element)


def make_pseudopotential(element: str, programs: Programs, path: Path) -> Pseudopotential:
    """Make the packaged pseudopotential of an element with ld1.x.

    Parameters
    ----------
    element : str
    programs : Programs
    path : Path
        The UPF file to write; its folder exists.

    Raises
    ------
    DataFormatError
        If nanogap has no input for the element.
    EngineError
        If ld1.x is missing or fails.
    """
    source = generation_input(element)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ld1.") as folder:
        run_program(programs.alone, "ld1.x", source.generation, Path(folder), "ld1")
        made = read_pseudopotential(Path(folder) / _FILE)
        if made.valence != source.valence:
            raise EngineError(f"ld1.x made a pseudopotential of {made.valence:g} electrons")
        made.path.replace(path)
    return read_pseudopotential(path)


def find_pseudopotential(
    element: str, programs: Programs, given: Path | None = None
) -> Pseudopotential:
    """Return a user's pseudopotential, or nanogap's own from the cache, made if it is not there.

    Raises
    ------
    DataFormatError
        If the file is none that pwcond.x can use, or of another element, or not given for an
        element that nanogap has no input for.
    EngineError
        If ld1.x is missing or fails.
    """
    if given is not None:
        found = read_pseudopotential(given)
        if found.element != element:
            raise DataFormatError(
                f"{given} is a pseudopotential of {found.element}, the junction is of {element}"
            )
        return found
    text = generation_input(element).generation
    label = hashlib.sha256(text.encode()).hexdigest()[:8]
    path = cache_folder("pseudopotentials") / f"{element}-{label}.UPF"
    if path.is_file():
        return read_pseudopotential(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_pseudopotential(element, programs, path)


def find_pseudopotentials(
    elements: Iterable[str], programs: Programs, settings: FirstPrinciplesSettings, name: str
) -> dict[str, Pseudopotential]:
    """Find a pseudopotential for every element of a junction.

    Parameters
    ----------
    elements : iterable of str
        Chemical symbols, each once or more.
    programs : Programs
    settings : FirstPrinciplesSettings
        With the user's own files.
    name : str
        What messages call the junction.

    Returns
    -------
    dict of str to Pseudopotential
        By chemical symbol, in alphabetical order.

    Raises
    ------
    DataFormatError
        If there is none for an element, or they are of different functionals.
    EngineError
        If ld1.x is missing or fails.
    """
    symbols = sorted(set(elements))
    given = dict(settings.pseudopotentials)
    if settings.pseudopotential is not None:
        only = read_pseudopotential(settings.pseudopotential).element
        given.setdefault(only if only in symbols else symbols[0], settings.pseudopotential)
    found = {}
    for element in symbols:
        try:
            found[element] = find_pseudopotential(element, programs, given.get(element))
        except DataFormatError as error:
            raise DataFormatError(f"{name}: {error}") from None
    if len({one.exchange_correlation for one in found.values()}) > 1:
        kinds = ", ".join(f"{one.functional} of {element}" for element, one in found.items())
        raise DataFormatError(
            f"{name}: the pseudopotentials are of different functionals ({kinds}): give files of "
            "one functional"
        )
    return found
