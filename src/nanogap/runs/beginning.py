"""The beginning of a run: its settings as they were, against which later edits are compared.

A run directory holds its settings in ``run.json``, where a user may edit them between two
sessions. Some changes are harmless, others would mix two trajectories, or two sorts of
transmission, in one result.
"""

import json
from dataclasses import dataclass
from typing import Any

from nanogap.digest import file_digest
from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import write_json
from nanogap.io.run_files import RunFiles
from nanogap.runs.recovery import first_contact_step, schedule_of
from nanogap.runs.state import read_state
from nanogap.settings import Settings
from nanogap.settings.load import flattened

#: What changes no result: a name, and how the work is shared out.
_FREE = {
    "name",
    "transport.workers",
    "dynamics.checkpoint_interval",
    "dynamics.processes",
    "dynamics.threads",
    "dynamics.lammps_options",
}
#: Of these, what no reader of the results needs to know.
UNTOLD = _FREE - {"dynamics.processes", "dynamics.lammps_options"}
#: What says when the run ends.
_LENGTH = {"dynamics.production_time", "dynamics.stop_after_contact"}
_SPECTRA = "transport.spectrum_energies"
_OF_TRANSPORT = ("transport.", "junction.")
_AGAIN = "the folder transmission, transmission.nc and spectra.nc"


@dataclass(frozen=True)
class Change:
    """A setting that differs from what the run was begun with.

    Attributes
    ----------
    key : str
        Such as ``voltage.applied``.
    before, now : object
        Its values.
    """

    key: str
    before: Any
    now: Any

    def __str__(self) -> str:
        """Name the key and both values."""
        return f"{self.key} = {self.now!r} (was {self.before!r})"


def record_beginning(files: RunFiles, settings: Settings) -> None:
    """Write down the settings, and the files, that a run is begun with or goes on with."""
    content = {"settings": settings.model_dump(mode="json"), "files": _sums(files)}
    write_json(files.beginning, content)


def refuse_other_files(files: RunFiles) -> None:
    """Refuse to go on with another structure, force field or Hamiltonian than before.

    Raises
    ------
    SettingsError
        If one of the files has changed or is missing.
    """
    try:
        before = dict(json.loads(files.beginning.read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    now = _sums(files)
    if not (files.transmissions() or files.failures()):
        before.pop(files.hamiltonian.name, None)
    changed = [name for name, found in before.items() if now.get(name) != found]
    if changed:
        raise SettingsError(
            f"{files.folder / changed[0]} is not the file that the run was begun with: put it "
            "back, or begin another run"
        )


def _sums(files: RunFiles) -> dict[str, str]:
    """Check sums of what a run computes with."""
    found = (files.tips, files.force_field, files.hamiltonian)
    return {path.name: file_digest(path.read_bytes()) for path in found if path.is_file()}


def changes_since(files: RunFiles, settings: Settings) -> list[Change]:
    """Compare settings with those that a run was begun with.

    Returns
    -------
    list of Change
        Empty too where the beginning is not known, as of runs of an earlier version.
    """
    try:
        content = json.loads(files.beginning.read_text(encoding="utf-8"))["settings"]
        # a setting that has come since has the same default on both sides
        before = Settings.model_validate(content).model_dump(mode="json")
    except (OSError, ValueError, KeyError, TypeError, NanogapError):
        return []
    old, new = flattened(before), flattened(settings.model_dump(mode="json"))
    return [Change(key, old.get(key), new[key]) for key in new if old.get(key) != new[key]]


def refuse_mixture(files: RunFiles, settings: Settings, changes: list[Change]) -> None:
    """Refuse changes that would mix results of different settings.

    Parameters
    ----------
    files : RunFiles
    settings : Settings
        The changed ones.
    changes : list of Change

    Raises
    ------
    SettingsError
        If there is one; the message says what to do.
    """
    edited = f"{files.description} has been edited since the run began"
    for change in changes:
        key = change.key
        if key in _FREE:
            continue
        if key in _LENGTH:
            _refuse_shorter(files, settings, change, edited)
        elif key == _SPECTRA:
            if files.spectra.is_file():
                raise SettingsError(
                    f"{edited}: {change}, but the spectra are there: put it back, or delete "
                    "spectra.nc to have it computed anew"
                )
        elif key.startswith(_OF_TRANSPORT):
            if files.transmissions() or files.failures():
                raise SettingsError(
                    f"{edited}: {change}, but there are transmissions with the old value: put it "
                    f"back, or delete {_AGAIN} to have all of them computed anew"
                )
        elif files.tips.is_file():
            raise SettingsError(
                f"{edited}: {change}, but structure and trajectory are with the old value: put it "
                "back, or begin another run; only the end, the number of workers and processes "
                "and the name may change"
            )


def _refuse_shorter(files: RunFiles, settings: Settings, change: Change, edited: str) -> None:
    """Refuse an end of the run that it has passed."""
    try:
        reached = read_state(files.dynamics).step
    except DataFormatError:
        return  # not begun, or to be recovered
    dynamics, snapshots = settings.dynamics, []
    if files.index.is_file():
        lines = files.index.read_text(encoding="utf-8", errors="replace").splitlines()
        snapshots = [json.loads(line) for line in lines if line.endswith("}")]
    end = schedule_of(settings, None).last(first_contact_step(snapshots))
    if end < reached:
        time = reached * dynamics.time_step - dynamics.equilibration_time
        raise SettingsError(
            f"{edited}: {change}, but it has reached {time:g} fs under voltage: choose a later "
            "end, or put it back"
        )
