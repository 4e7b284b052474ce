"""A device directory in this process alone, one device after the other; for ensembles of them."""

import shutil
from pathlib import Path

from nanogap.device.device import Device
from nanogap.errors import NanogapError, SettingsError
from nanogap.io.device_files import is_device_directory
from nanogap.runs.compilation import watched_compilation
from nanogap.runs.device_beginning import check_measurement, with_table
from nanogap.runs.device_part import compute_part, read_cost
from nanogap.runs.device_run import DeviceRun
from nanogap.settings.device import DeviceSettings

_NO_PATHS = ("cache", "none")


def open_or_create_device(path: Path, settings: DeviceSettings, source: str) -> DeviceRun:
    """Open a device directory to go on with it, or make it.

    Raises
    ------
    NanogapError
        If there is a device directory that cannot be read, or none can be made.
    """
    if is_device_directory(path):
        return DeviceRun(path)
    if path.is_dir():  # killed before the measurement began: there is nothing in it
        shutil.rmtree(path)
    return DeviceRun.create(path, settings, source)


def compute_alone(run: DeviceRun) -> None:
    """See a measurement through, from wherever it is; the caller holds its lock.

    The readings are those of `DeviceRun.compute`. No dataset and no report are written.

    Raises
    ------
    NanogapError
        If a device fails.
    """
    run.begin_session()
    with watched_compilation():
        for number, member in enumerate(run.members):
            compute_part(run.files.part(number), member, _silent)


def computing_time(run: DeviceRun) -> float:
    """Return the processor time of the readings so far, s."""
    return sum(read_cost(run.files.part(number)).cpu_time for number in range(len(run.members)))


def is_finished(run: DeviceRun) -> bool:
    """Whether all devices have done all of their protocol."""
    parts = [run.files.part(number) for number in range(len(run.members))]
    return all(part.done.is_file() and part.readings for part in parts)


def check_device(settings: DeviceSettings, energetics: Path | None = None) -> None:
    """Refuse settings of a device that cannot be made, before any work.

    Parameters
    ----------
    settings : DeviceSettings
    energetics : Path, optional
        Where the table of barriers lies that ``atoms.energetics`` names.

    Raises
    ------
    NanogapError
        As of `nanogap.runs.device_beginning.check_measurement`, or if a setting would do nothing,
        the device cannot be made, or the place of the cache depends on the folder that it is
        computed in.
    """
    settings.refuse_idle()
    cache = settings.conductance.cache
    if cache not in _NO_PATHS and not Path(cache).is_absolute():
        raise SettingsError(
            f"conductance.cache = {cache!r}: give an absolute path, 'cache' or 'none': members are "
            "computed in other folders"
        )
    if energetics is not None:
        settings = with_table(settings, str(energetics))
    check_measurement(settings)
    conductance = settings.conductance.model_copy(update={"cache": "none"})
    try:
        one = settings.model_copy(update={"conductance": conductance})
        Device(one.member(0))  # the others differ in seed and resistances
    except (OSError, ValueError) as error:
        raise NanogapError(f"the device cannot be made: {error}") from None


def _silent(_points: int) -> None:
    """Tell nobody."""
