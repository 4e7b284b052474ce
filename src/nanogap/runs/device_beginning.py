"""The beginning of a measurement: what it was begun with, against which later edits are compared.

A device directory holds its settings in ``device.json``, where a user may edit them between two
sessions, and a copy of the user's table of barriers. Where the known conductances lie, the title,
and further cycles change no reading; anything else would go on as another device.
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from nanogap.device.conditions import check_voltages
from nanogap.device.conductance import device_model
from nanogap.device.measurement import point_columns
from nanogap.device.neck_store import check_store
from nanogap.device.parts import make_energetics, make_medium
from nanogap.digest import content_digest, file_digest
from nanogap.errors import NanogapError, SettingsError
from nanogap.io import write_bytes, write_json
from nanogap.io.device_files import DeviceFiles
from nanogap.settings.device import DeviceSettings, load_device_settings
from nanogap.settings.load import flattened

#: What changes no reading.
FREE = frozenset({"name", "conductance.cache"})
_CYCLES = "protocol.cycles"
_MAY = "only name, conductance.cache and a larger protocol.cycles may change"
_PACKAGED = "packaged"


@dataclass(frozen=True)
class Beginning:
    """Settings and inputs that a measurement was begun with.

    Attributes
    ----------
    settings : DeviceSettings
    inputs : mapping of str to str
        What was read, in words, to a digest of it.
    table : str or None
        SHA-256 of the copy of the user's table of barriers, if there is one.
    """

    settings: DeviceSettings
    inputs: Mapping[str, str]
    table: str | None


def check_empty(folder: Path) -> None:
    """Refuse a place for a device directory that holds something.

    Raises
    ------
    SettingsError
        If so.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise taken(folder)


def taken(folder: Path) -> SettingsError:
    """Make the error of a place that holds something."""
    return SettingsError(f"{folder} exists and is not empty: choose another -o")


def check_measurement(settings: DeviceSettings) -> None:
    """Refuse, in no time, settings of a measurement that would fail once it is under way.

    Parameters
    ----------
    settings : DeviceSettings

    Raises
    ------
    NanogapError
        If there are no barriers, no Hamiltonian or no such medium, the rates do not hold the
        voltages of the protocol, or the file of known conductances is something else.
    """
    inputs_of(settings)
    check_voltages(settings, make_medium(settings.medium))
    if (store := _named_store(settings)) is not None:
        check_store(store)


def new_store(settings: DeviceSettings) -> Path | None:
    """Return the file of known conductances that a setting names and that is not there yet."""
    store = _named_store(settings)
    return None if store is None or store.exists() else store


def _named_store(settings: DeviceSettings) -> Path | None:
    """Return the file of known conductances if a setting names one."""
    cache = settings.conductance.cache
    return None if cache in {"cache", "none"} else Path(cache)


def describe(
    files: DeviceFiles,
    settings: DeviceSettings,
    source: str,
    versions: Mapping[str, str],
    *,
    table: bool,
) -> None:
    """Write the description of a device directory."""
    write_json(
        files.description,
        {
            "source": source,
            "settings": settings.model_dump(mode="json"),
            "columns": point_columns(),
            "versions": dict(versions),
            "table": table,
        },
    )


def device_versions() -> dict[str, str]:
    """Versions of the programs that make the readings of a device."""
    names = ("nanogap", "numpy", "numba", "scipy")
    return {name: version(name) for name in names} | {"python": platform.python_version()}


def record_beginning(files: DeviceFiles, settings: DeviceSettings) -> None:
    """Write down what a measurement is begun with, and copy the user's table of barriers.

    Parameters
    ----------
    files : DeviceFiles
    settings : DeviceSettings
        Of all devices.

    Raises
    ------
    NanogapError
        If the table is missing or damaged, or there is no such medium or Hamiltonian.
    """
    inputs = inputs_of(settings)
    if settings.atoms.energetics != _PACKAGED:
        write_bytes(files.energetics, Path(settings.atoms.energetics).read_bytes())
    _write(files, settings, inputs)


def _write(files: DeviceFiles, settings: DeviceSettings, inputs: Mapping[str, str]) -> None:
    """Write the file of the beginning."""
    content = {
        "settings": settings.model_dump(mode="json"),
        "inputs": dict(inputs),
        "energetics": _sum(files.energetics),
    }
    write_json(files.beginning, content)


def read_beginning(files: DeviceFiles) -> Beginning | None:
    """Read what a measurement was begun with; None where that was not recorded, or is lost."""
    try:
        content = json.loads(files.beginning.read_text(encoding="utf-8"))
        # a setting that has come since has the same default on both sides
        settings = load_device_settings(content["settings"])
        return Beginning(settings, dict(content["inputs"]), content["energetics"])
    except (OSError, ValueError, KeyError, TypeError, NanogapError):
        return None


def inputs_of(settings: DeviceSettings) -> dict[str, str]:
    """Digest what a device reads besides its settings: barriers, medium, Hamiltonian.

    Parameters
    ----------
    settings : DeviceSettings

    Returns
    -------
    dict of str to str
        By what it is in words. Only numbers count, not the sources that are told beside them.
    """
    element, energetics = settings.geometry.element, make_energetics(settings)
    medium = make_medium(settings.medium)
    return {
        f"energies and barriers of {element}": content_digest(
            energetics.phi,
            energetics.saddle,
            energetics.prefactor,
            energetics.floor,
            energetics.lattice_constant,
        ),
        f"medium {settings.medium.name!r}": content_digest(
            None if medium is None else replace(medium, parameters=())
        ),
        f"Hamiltonian of {element}": content_digest(device_model(element)),
    }


def with_copied_table(files: DeviceFiles, settings: DeviceSettings) -> DeviceSettings:
    """Return the settings with the directory's own copy of the table of barriers, if it has one."""
    if settings.atoms.energetics == _PACKAGED or not files.energetics.is_file():
        return settings
    return with_table(settings, str(files.energetics.absolute()))


def with_table(settings: DeviceSettings, path: str) -> DeviceSettings:
    """Return the settings with another table of barriers: a path, or 'packaged'."""
    return settings.model_copy(
        update={"atoms": settings.atoms.model_copy(update={"energetics": path})}
    )


def refuse_edits(files: DeviceFiles, settings: DeviceSettings) -> None:
    """Refuse settings, or a table of barriers, that are not those of the beginning.

    Parameters
    ----------
    files : DeviceFiles
    settings : DeviceSettings
        As they are now.

    Raises
    ------
    SettingsError
        If so; the message names the keys, with both values.
    """
    begun = read_beginning(files)
    if begun is None:
        return
    if begun.table is not None and _sum(files.energetics) != begun.table:
        raise SettingsError(
            f"{files.energetics} is not the table of barriers (atoms.energetics) that the "
            f"measurement was begun with: put it back (it was a copy of "
            f"{begun.settings.atoms.energetics}), or begin another with 'nanogap device run'"
        )
    refused = [one for one in _changes(begun.settings, settings) if not one.is_free(files)]
    if refused:
        raise SettingsError(
            f"{files.description} has been edited since the measurement began: "
            f"{', '.join(map(str, refused))}: put it back, or begin another with 'nanogap device "
            f"run'; {_MAY}{_while_unfinished(refused)}"
        )


def go_on(files: DeviceFiles, settings: DeviceSettings, made_by: str) -> None:
    """Refuse to go on with other packaged data than before, and record what may have changed.

    Parameters
    ----------
    files : DeviceFiles
    settings : DeviceSettings
        As they are now, of all devices, with the directory's own table of barriers.
    made_by : str
        Version of nanogap that began the measurement.

    Raises
    ------
    SettingsError
        If energies, medium or Hamiltonian are others in this version.
    """
    begun = read_beginning(files)
    if begun is None:
        return
    now = inputs_of(settings)
    other = [name for name, digest in begun.inputs.items() if now.get(name) != digest]
    if other:
        raise SettingsError(
            f"the {' and the '.join(other)} that {files.folder} was begun with are not those of "
            f"this version of nanogap: go on with nanogap {made_by}, or begin another measurement"
        )
    described = with_table(settings, begun.settings.atoms.energetics)
    if _changes(begun.settings, described):
        _write(files, described, begun.inputs)


@dataclass(frozen=True)
class _Change:
    """A setting that differs from that of the beginning."""

    key: str
    before: object
    now: object
    each: bool

    def __str__(self) -> str:
        """Name the key and both values."""
        if self.now is None:
            return f"{self.key} is missing (was {self.before!r})"
        was = "not there" if self.before is None else repr(self.before)
        return f"{self.key} = {self.now!r} (was {was})"

    def is_free(self, files: DeviceFiles) -> bool:
        """Whether the readings so far are those that the changed settings would have given."""
        if self.key in FREE:
            return True
        if self.key != _CYCLES or not (isinstance(self.now, int) and isinstance(self.before, int)):
            return False
        return self.each and self.now > self.before and not files.finished_parts()


def _while_unfinished(refused: list[_Change]) -> str:
    """Say when the number of cycles may grow, where it was tried."""
    if all(one.key != _CYCLES for one in refused):
        return ""
    return " (cycles of each device, while none has finished)"


def _changes(before: DeviceSettings, now: DeviceSettings) -> list[_Change]:
    """Return the settings that differ."""
    old, new = (flattened(one.model_dump(mode="json")) for one in (before, now))
    each = now.devices.cycles == "each" or now.devices.number == 1
    return [
        _Change(key, old.get(key), new.get(key), each)
        for key in dict.fromkeys([*new, *old])
        if old.get(key) != new.get(key)
    ]


def _sum(path: Path) -> str | None:
    """Return the SHA-256 of a file; None if it is missing."""
    return file_digest(path.read_bytes()) if path.is_file() else None
