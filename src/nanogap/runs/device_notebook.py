"""Devices for notebooks and scripts: run one into a folder, go on with it, open it."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

from nanogap.arguments import checked
from nanogap.errors import NanogapError, SettingsError
from nanogap.runs.device_run import DeviceRun, start_device
from nanogap.settings.device import DeviceSettingsSource, load_device_settings

#: Devices at a time, as many as the command line allows.
_MOST_PROCESSES = 256

__all__ = ["open_device", "resume_device", "run_device"]


@checked
def run_device(
    source: DeviceSettingsSource,
    directory: str | Path,
    *,
    progress: Callable[[int, int], object] | None = None,
    processes: int = 1,
) -> DeviceRun:
    """Measure simulated devices into a folder, as the command ``nanogap device run`` does.

    What is done is on disk every ten seconds: after an interruption, also by Ctrl-C or the button
    of a notebook, `resume_device` goes on to the same bits.

    Parameters
    ----------
    source : str, Path, mapping or DeviceSettings
        The name of a preset, a settings file, a table of what differs from the defaults, or
        settings; see `nanogap.settings.device.load_device_settings`.
    directory : str or Path
        The device directory, new or empty.
    progress : callable, optional
        Called with the numbers of readings done and planned.
    processes : int
        Devices at a time; with several, a script needs ``if __name__ == "__main__":`` around it.

    Returns
    -------
    DeviceRun

    Raises
    ------
    NanogapError
        If the settings are wrong, the folder is not empty, or a device fails; one that cannot begin
        leaves nothing behind.

    Examples
    --------
    >>> from nanogap.settings import load_device_settings
    >>> settings = load_device_settings("device-quick", {"protocol.cycles": 2})
    >>> def progress(done, planned):
    ...     print(f"{done} of {planned}")
    >>> finished = run_device(settings, "my-device", progress=progress)  # doctest: +SKIP
    >>> finished.status.state                           # doctest: +SKIP
    'finished'
    """
    settings = load_device_settings(source)
    name = str(source) if isinstance(source, str | Path) else "settings in Python"
    _check_processes(processes)
    return start_device(Path(directory), settings, name, progress or _ignore, processes=processes)


@checked
def resume_device(
    directory: str | Path,
    *,
    progress: Callable[[int, int], object] | None = None,
    processes: int = 1,
) -> DeviceRun:
    """Go on with an interrupted measurement of devices, as ``nanogap device resume`` does.

    Parameters
    ----------
    directory : str or Path
    progress, processes
        See `run_device`.

    Returns
    -------
    DeviceRun

    Raises
    ------
    NanogapError
        If there is no device directory, another process works in it, or a device fails.

    Examples
    --------
    >>> resume_device("my-device").status.state         # doctest: +SKIP
    'finished'
    """
    _check_processes(processes)
    run = DeviceRun(directory)
    run.compute(progress or _ignore, processes)
    return run


@checked
def open_device(path: str | Path) -> DeviceRun:
    """Open a device directory, finished or not.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DeviceRun

    Raises
    ------
    DataFormatError
        If there is none.

    Examples
    --------
    >>> open_device("nowhere")
    Traceback (most recent call last):
    ...
    nanogap.errors.DataFormatError: nowhere is no device directory: make one with 'nanogap device \
run PRESET -o DIR'
    """
    return DeviceRun(path)


def _check_processes(processes: int) -> None:
    """Refuse numbers of processes that cannot be, and a script that starts itself again."""
    if not 1 <= processes <= _MOST_PROCESSES:
        raise SettingsError(f"processes = {processes}: must be from 1 to {_MOST_PROCESSES}")
    if multiprocessing.parent_process() is not None and processes > 1:
        raise NanogapError(
            "run_device with several processes was reached again by one of them: put what the "
            "script does under if __name__ == '__main__':"
        )


def _ignore(_done: int, _planned: int) -> None:
    """Watch nothing."""
