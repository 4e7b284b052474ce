"""Fine sampling of a moment of a run: the fluctuations of its conductance.

A sample is a run directory of its own that begins from a copy of a checkpoint of the run and
follows the trajectory that the run took (Fig. 5c of doi:10.1039/d3nh00476g).
"""

import math
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nanogap.analysis.filament.contact import first_contact
from nanogap.dynamics.schedule import FineSchedule, FineWindow
from nanogap.errors import NanogapError, SettingsError
from nanogap.io.run_files import is_run_directory
from nanogap.report.marks import save_figure
from nanogap.report.sample import noise_of, sample_figure
from nanogap.report.style import house_style
from nanogap.runs.directory import RunDirectory
from nanogap.runs.driver import Watcher, program_versions, resume_run
from nanogap.runs.results import fermi_level_transmission
from nanogap.runs.state import DynamicsState
from nanogap.settings import Settings
from nanogap.typing import FloatArray

_FS_PER_PS = 1000.0
_UNITS = {"": 1.0, "fs": 1.0, "ps": _FS_PER_PS, "ns": 1e6}
_NUMBER = r"(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:e[+-]?\d{1,3})?"
_MOMENT = re.compile(
    rf"(?P<contact>contact)?\s*(?:(?P<sign>[+-])?\s*(?P<number>{_NUMBER})\s*(?P<unit>fs|ps|ns)?)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class SampleRequest:
    """Span of a run that is to be sampled.

    Attributes
    ----------
    begin, every, duration : float
        Time of the first sample since the voltage came on, between two samples, and from the
        first to the last one, fs.
    output : Path or None
        The new run directory; None: in the folder ``samples`` of the run.
    replay : bool
        Where no checkpoint is early enough, repeat the run from its start.
    """

    begin: float
    every: float
    duration: float
    output: Path | None = None
    replay: bool = False


def moment(text: str, run: RunDirectory) -> float:
    """Read a moment of a run as people type it.

    Parameters
    ----------
    text : str
        A time since the voltage came on, ``26000`` (fs), ``26.0ps``; or one from the first
        contact of the run on, ``contact``, ``contact+3ps``, ``contact-500fs``.
    run : RunDirectory

    Returns
    -------
    float
        fs since the voltage came on.

    Raises
    ------
    SettingsError
        If it is no such time, or the run has no contact yet.
    """
    found = _MOMENT.fullmatch(text.strip())
    contact, number = (found["contact"], found["number"]) if found else (None, None)
    if found is None or not (contact or number) or (contact and number and not found["sign"]):
        raise SettingsError(
            f"--at {text!r} is no time: give fs or ps under voltage, for example 26000 or 26.0ps, "
            "or a time from the first contact on, for example contact+3ps"
        )
    time = float(number or 0.0) * _UNITS[(found["unit"] or "").lower()]
    time = -time if found["sign"] == "-" else time
    if not contact:
        return time
    observables = run.observables()
    index = first_contact(observables)
    if index is None:
        raise SettingsError(
            f"--at {text!r}: {run.path} has no first contact so far: give a time, as 26.0ps"
        )
    return float(observables["time"][index]) + time


def sample_run(origin: RunDirectory, request: SampleRequest, watch: Watcher) -> RunDirectory:
    """Sample a span of a run finely; the run itself stays as it is.

    The same call goes on with a sampling that was interrupted.

    Parameters
    ----------
    origin : RunDirectory
    request : SampleRequest
    watch : callable
        Called with a `Progress` several times a second.

    Returns
    -------
    RunDirectory
        The sample, with ``fluctuation.png`` in it.

    Raises
    ------
    NanogapError
        If the times cannot be, no checkpoint is early enough, or the sampling fails.
    """
    window = _window(origin, request)
    path = request.output or origin.files.samples / f"{window.begin:g}-fs-every-{window.every:g}"
    _prepare(origin, window, path, replay=request.replay)
    sample = resume_run(path, watch)
    with house_style():
        figure = sample_figure(*trace(sample), title=sample.settings.name)
    save_figure(figure, sample.files.fluctuation)
    return sample


def available_times(origin: RunDirectory) -> list[float]:
    """List the times of the checkpoints of a run since the voltage came on, fs."""
    dynamics = origin.settings.dynamics
    return [
        step * dynamics.time_step - dynamics.equilibration_time for step in origin.checkpoints()
    ]


def trace(sample: RunDirectory) -> tuple[FloatArray, FloatArray]:
    """Time (fs) and transmission (G0, NaN where unknown) of every sample, shape (n_samples,)."""
    records = sample.records()
    known = fermi_level_transmission(sample.transmission_averages())
    values = np.array([known.get(number, np.nan) for number in range(len(records))])
    return np.array([record.observables["time"] for record in records]), values


@dataclass(frozen=True)
class SampleSummary:
    """Fluctuation of the conductance in a fine sampling.

    Attributes
    ----------
    directory : str
        The run directory of the sampling.
    time, transmission : list of float
        Of every sample, fs and G0; NaN where the transmission is not known.
    mean, deviation : float
        Of the known transmissions, G0; NaN for fewer than one and two.
    exponent, exponent_uncertainty : float
        Of the spectrum f^-exponent; NaN for fewer than 64 samples.
    """

    directory: str
    time: list[float]
    transmission: list[float]
    mean: float
    deviation: float
    exponent: float
    exponent_uncertainty: float

    @property
    def known(self) -> int:
        """Number of samples whose transmission is known."""
        return int(np.isfinite(self.transmission).sum())


def summary(sample: RunDirectory) -> SampleSummary:
    """Describe the fluctuation of a sample."""
    times, values = trace(sample)
    known = values[np.isfinite(values)]
    noise = noise_of(times, values)
    return SampleSummary(
        directory=str(sample.path),
        time=times.tolist(),
        transmission=values.tolist(),
        mean=float(known.mean()) if len(known) else math.nan,
        deviation=float(known.std(ddof=1)) if len(known) > 1 else math.nan,
        exponent=math.nan if noise is None else noise.exponent,
        exponent_uncertainty=math.nan if noise is None else noise.exponent_uncertainty,
    )


def _window(origin: RunDirectory, request: SampleRequest) -> FineWindow:
    """Check the times of a request against the run."""
    dynamics, state = origin.settings.dynamics, origin.dynamics
    if origin.window is not None:
        raise SettingsError(f"{origin.path} is a fine sample itself: sample the run it is of")
    if not state.step:
        raise SettingsError(f"{origin.path} has no checkpoint yet: wait for the first")
    reached = state.step * dynamics.time_step - dynamics.equilibration_time
    if not 0.0 <= request.begin <= reached:
        raise SettingsError(
            f"--at {request.begin:g}: the run {origin.path} reaches from 0 to {reached:g} fs under "
            "voltage: choose a time within"
        )
    if not dynamics.time_step <= request.every <= request.duration:
        raise SettingsError(
            f"--every {request.every:g}: choose from one time step, {dynamics.time_step:g} fs, to "
            f"--for, {request.duration:g} fs"
        )

    def whole(time: float) -> float:
        return round(time / dynamics.time_step) * dynamics.time_step

    return FineWindow(
        whole(request.begin),
        whole(request.every),
        request.duration,
        dynamics.sampling_interval,
        dynamics.contact_sampling_interval,
    )


def _prepare(origin: RunDirectory, window: FineWindow, path: Path, *, replay: bool) -> None:
    """Make the run directory of a sample, unless it is there."""
    if is_run_directory(path):
        there = RunDirectory(path)
        if there.window != window:
            raise SettingsError(f"{path} holds another run or sample: choose another -o")
        if there.tips is not None:
            return
        there.remove()  # interrupted before its checkpoint was copied
    _create(origin, window, path, replay=replay)


def _create(origin: RunDirectory, window: FineWindow, path: Path, *, replay: bool) -> None:
    """Make the run directory of a sample, with a copy of the checkpoint that it begins from."""
    settings = _settings(origin, window)
    schedule = FineSchedule(settings.dynamics, settings.voltage, window)
    # the step of a checkpoint itself has no forces yet, so it cannot be the first sample
    early = {step: folder for step, folder in origin.checkpoints().items() if step < schedule.begin}
    if not early and not replay:
        times = ", ".join(f"{time:g}" for time in available_times(origin))
        raise SettingsError(
            f"--at {window.begin:g}: no checkpoint of {origin.path} is before it; they stand at "
            f"{times} fs: choose a later time, or repeat the run from its start with --replay "
            "(dynamics.checkpoint_interval keeps more of them in further runs)"
        )
    sample = RunDirectory.create(
        path, settings, f"fine sampling of {origin.path}", program_versions(), window
    )
    try:
        if early:
            start = max(early)
            shutil.copytree(early[start], sample.new_checkpoint(start), dirs_exist_ok=True)
            sample.dynamics = DynamicsState(
                step=start,
                start_step=start,
                end_step=schedule.end,
                snapshots_planned=schedule.planned(None),
                checkpoint=sample.files.checkpoint(start).name,
            )
        for kept in filter(None, (origin.force_field, origin.hamiltonian)):
            shutil.copyfile(kept, path / kept.name)
        # last of all: a sample with tips is complete
        shutil.copyfile(origin.files.tips, sample.files.tips)
    except OSError as error:
        sample.remove()
        raise NanogapError(
            f"the checkpoint of {origin.path} cannot be copied ({error}): try again"
        ) from None


def _settings(origin: RunDirectory, window: FineWindow) -> Settings:
    """Take the settings of the run with the times of the window, without spectra."""
    content = origin.settings.model_dump(mode="json")
    content["name"] = f"{content['name'][:50]}, {window.begin / _FS_PER_PS:g} ps"
    content["dynamics"] |= {
        "sampling_interval": window.every,
        "contact_sampling_interval": 0.0,
        "production_time": window.begin + window.duration,
        "stop_after_contact": 0.0,
    }
    content["transport"]["spectrum_energies"] = ""
    return Settings.model_validate(content)
