"""The file of a Hamiltonian: TOML, of one layout.

The packaged models and those that ``nanogap fit-hamiltonian`` makes have the layout that
`model_to_toml` writes and `model_from_table` reads.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import chemical_symbols

from nanogap.errors import DataFormatError
from nanogap.transport.tight_binding.model import SHELLS, TightBindingModel
from nanogap.transport.tight_binding.slater_koster import INTEGRALS, N_ORBITALS
from nanogap.transport.tight_binding.vacuum import VacuumTail
from nanogap.typing import FloatArray

#: Farthest cut-off, angstrom: matrices grow as its cube.
_FARTHEST = 30.0
#: Larger numbers are no parameters; larger files no Hamiltonians, bytes.
_LARGEST, _LARGEST_FILE = 1e12, 1_000_000
#: Keys that a file may have, by section; the first are those outside sections.
_KEYS: dict[str, tuple[str, ...]] = {
    "": (
        "element",
        "electrons_per_atom",
        "inner_cutoff",
        "cutoff",
        "density_decay",
        "potential_decay",
        "potential",
        "neighbour_potential",
    ),
    "onsite": SHELLS,
    "hamiltonian": INTEGRALS,
    "overlap": INTEGRALS,
    "crystal_field": INTEGRALS,
    "vacuum": tuple(field.name for field in fields(VacuumTail)),
    "neutrality": ("coordination", "shift"),
}
#: Nearest that atoms come, angstrom, and the largest integral or level, eV.
_SHORTEST, _LARGEST_LEVEL = 2.0, 1e6


def read_model(path: Path) -> TightBindingModel:
    """Read a file that ``nanogap fit-hamiltonian`` made.

    Raises
    ------
    DataFormatError
        If it is no such file, or its numbers are no Hamiltonian's: of another shape, not finite,
        or so large that integrals overflow.
    """
    try:
        model = model_from_table(tomllib.loads(_text(path)))
        _check_size(model)
    except (OSError, ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise DataFormatError(
            f"{path} is no Hamiltonian that 'nanogap fit-hamiltonian' made: {reason}"
        ) from None
    return model


def _text(path: Path) -> str:
    if not path.is_file():
        raise ValueError("there is no such file")
    if path.stat().st_size > _LARGEST_FILE:
        raise ValueError(f"it is larger than {_LARGEST_FILE} bytes")
    return path.read_text(encoding="utf-8")


def _check_size(model: TightBindingModel) -> None:
    """Refuse integrals and levels that no metal has, and those that overflow."""
    with np.errstate(all="ignore"):
        distances = np.linspace(_SHORTEST, model.cutoff, 200)
        integrals = model.two_centre(distances)
        field = model.field_integrals(distances)
        # of one neighbour far away to twelve at the shortest distance
        levels = model.onsite_energies(np.linspace(0.0, 2.0, 50))
        atoms = np.arange(len(distances))
        potentials = [
            model.potentials(np.repeat(atoms, count), np.repeat(distances, count), len(atoms))
            for count in (1, 12)
        ]
    for name, values in (
        ("hamiltonian", integrals[0]),
        ("overlap", integrals[1]),
        ("crystal_field", field),
        ("onsite", levels),
        ("potential", potentials),
    ):
        if not np.abs(values).max() < _LARGEST_LEVEL:
            raise ValueError(
                f"{name} reaches {np.abs(values).max():.3g} between {_SHORTEST:g} Å and the cutoff"
            )


def model_from_table(table: Mapping[str, Any]) -> TightBindingModel:
    """Make a model from its parsed TOML table (the layout of the packaged one).

    Raises
    ------
    ValueError
        If a value is missing, of another shape or not finite, or cannot be, or a key is not known;
        it names the key.
    """
    _refuse_unknown(table)
    inner, cutoff = _positive(table, "inner_cutoff"), _positive(table, "cutoff")
    if not inner < cutoff <= _FARTHEST:
        raise ValueError(
            f"inner_cutoff = {inner:g} and cutoff = {cutoff:g} must rise, to {_FARTHEST:g} Å at "
            "most"
        )
    electrons = _positive(table, "electrons_per_atom")
    if electrons >= 2.0 * N_ORBITALS:
        raise ValueError(f"electrons_per_atom = {electrons:g} must be below {2 * N_ORBITALS}")
    element = _value(table, "element")
    if element not in chemical_symbols[1:]:
        raise ValueError(f"element = {str(element)[:20]!r} is no chemical symbol")
    return TightBindingModel(
        element=element,
        electrons_per_atom=electrons,
        inner_cutoff=inner,
        cutoff=cutoff,
        hamiltonian=_rows(table, "hamiltonian", INTEGRALS),
        overlap=_rows(table, "overlap", INTEGRALS),
        density_decay=_positive(table, "density_decay"),
        onsite=_rows(table, "onsite", SHELLS),
        potential_decay=_positive(table, "potential_decay"),
        potential=_numbers(table, "potential", 3),
        crystal_field=_crystal_field(table),
        neighbour_potential=_neighbour_potential(table),
        vacuum=_vacuum(_value(table, "vacuum")) if "vacuum" in table else None,
        neutrality=_neutrality(table),
    )


def _refuse_unknown(table: Mapping[str, Any]) -> None:
    """Refuse a key that nothing reads: it may be a known one, misspelled."""
    sections = {name: value for name, value in table.items() if name in _KEYS}
    outside = {name: value for name, value in table.items() if name not in _KEYS}
    for section, found in {"": outside, **sections}.items():
        unknown = sorted(set(found) - set(_KEYS[section])) if isinstance(found, Mapping) else []
        if unknown:
            near = get_close_matches(unknown[0], [*_KEYS[section], *_KEYS], n=1)
            meant = f": do you mean {near[0]}?" if near else ""
            key = f"{section}.{unknown[0]}" if section else unknown[0]
            raise ValueError(f"{key} is not known{meant}")


def _value(table: Any, key: str) -> Any:
    """Look up ``section.name`` in a table, or say that it is missing."""
    for part in key.split("."):
        if not isinstance(table, Mapping) or part not in table:
            raise ValueError(f"{key} is missing")
        table = table[part]
    return table


def _is_finite(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < _LARGEST  # type: ignore[arg-type]


def _number(table: Any, key: str) -> float:
    """Read a finite number."""
    value = _value(table, key)
    if not _is_finite(value):
        raise ValueError(f"{key} must be a finite number")
    return float(value)


def _positive(table: Any, key: str) -> float:
    """Read a positive number."""
    value = _number(table, key)
    if not value > 0.0:
        raise ValueError(f"{key} = {value:g} must be positive")
    return value


def _numbers(table: Any, key: str, count: int | None = None) -> FloatArray:
    """Read a list of finite numbers, of one length."""
    values = _value(table, key)
    found = isinstance(values, list) and len(values) > 0 and all(map(_is_finite, values))
    if not found or count not in (None, len(values)):
        raise ValueError(f"{key} must be a list of {count or 'some'} finite numbers")
    return np.array(values, dtype=np.float64)


def _rows(table: Any, section: str, names: tuple[str, ...]) -> FloatArray:
    return np.array([_numbers(table, f"{section}.{name}", 4) for name in names])


def _crystal_field(table: Any) -> FloatArray:
    """Read the integrals of the crystal field; zeros without them."""
    if "crystal_field" not in table:
        return np.zeros((len(INTEGRALS), 4))
    return _rows(table, "crystal_field", INTEGRALS)


def _neighbour_potential(table: Any) -> FloatArray:
    """Read what a neighbour adds to the potential; zeros without it."""
    key = "neighbour_potential"
    return _numbers(table, key, 4) if key in table else np.zeros(4)


def _neutrality(table: Any) -> FloatArray:
    """Read the shifts by number of neighbours, shape (2, n); empty without them."""
    if "neutrality" not in table:
        return np.zeros((2, 0))
    coordination = _numbers(table, "neutrality.coordination")
    shift = _numbers(table, "neutrality.shift", len(coordination))
    if not (np.diff(coordination) > 0.0).all():
        raise ValueError("neutrality.coordination must rise")
    return np.stack([coordination, shift])


def _vacuum(section: Any) -> VacuumTail:
    """Read the coupling through vacuum: single numbers, and ranges that rise."""
    table, values = {"vacuum": section}, dict[str, Any]()
    for field in fields(VacuumTail):
        name, default, key = field.name, field.default, f"vacuum.{field.name}"
        if default is not MISSING and isinstance(section, Mapping) and name not in section:
            continue
        if not isinstance(default, tuple):
            values[name] = _number(table, key)
            continue
        low, high = _numbers(table, key, 2).tolist()
        if not low < high:
            raise ValueError(f"{key} must be two numbers that rise")
        values[name] = (low, high)
    for name in ("decay", "relief_range"):
        if name in values and not values[name] > 0.0:
            raise ValueError(f"vacuum.{name} must be positive")
    if values.get("end", VacuumTail.end)[1] > _FARTHEST:
        raise ValueError(f"vacuum.end must be at most {_FARTHEST:g} Å")
    return VacuumTail(**values)


def model_to_toml(model: TightBindingModel, comment: str) -> str:
    """Write a model as TOML, with a comment that says where it is from."""

    def row(values: Iterable[float]) -> str:
        return "[" + ", ".join(f"{value:.10g}" for value in values) + "]"

    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines += [
        f'element = "{model.element}"',
        f"electrons_per_atom = {model.electrons_per_atom}",
        f"inner_cutoff = {model.inner_cutoff}",
        f"cutoff = {model.cutoff}",
        f"density_decay = {model.density_decay:.10g}",
        f"potential_decay = {model.potential_decay:.10g}",
        f"potential = {row(model.potential)}",
    ]
    if model.neighbour_potential[:3].any():
        lines.append(f"neighbour_potential = {row(model.neighbour_potential)}")
    for title, names, values in (
        ("onsite", SHELLS, model.onsite),
        ("hamiltonian", INTEGRALS, model.hamiltonian),
        ("overlap", INTEGRALS, model.overlap),
        *([("crystal_field", INTEGRALS, model.crystal_field)] if model.splits_levels else []),
    ):
        lines += ["", f"[{title}]"]
        lines += [f"{name} = {row(value)}" for name, value in zip(names, values, strict=True)]
    tail = model.vacuum
    if tail is not None:
        lines += ["", "[vacuum]"]
        for name, value in vars(tail).items():
            lines.append(f"{name} = {row(value) if isinstance(value, tuple) else f'{value:.10g}'}")
    if model.neutrality.size:
        lines += ["", "[neutrality]"]
        coordination, shift = model.neutrality
        lines += [f"coordination = {row(coordination)}", f"shift = {row(shift)}"]
    return "\n".join(lines) + "\n"
