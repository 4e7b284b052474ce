"""Fine sampling of a moment of a run: the fluctuations of its conductance.

A sample is a run directory of its own that begins from a copy of a checkpoint of the run and
follows the trajectory that the run took (Fig. 5c of doi:10.1039/d3nh00476g).
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nanogap.dynamics.schedule import FineSchedule, FineWindow
from nanogap.errors import NanogapError, SettingsError
from nanogap.report.marks import save_figure
from nanogap.report.sample import noise_of, sample_figure
from nanogap.report.style import house_style
from nanogap.run.directory import DynamicsState, RunDirectory, fermi_level_transmission
from nanogap.run.driver import Watcher, program_versions, resume_run
from nanogap.settings import Settings
from nanogap.typing import FloatArray

_FS_PER_PS = 1000.0


@dataclass(frozen=True)
class SampleRequest:
    """What is to be sampled.

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


def sample_run(origin: RunDirectory, request: SampleRequest, watch: Watcher) -> RunDirectory:
    """Sample a span of a run finely; the run itself stays as it is.

    The same call goes on with a sampling that was interrupted.

    Parameters
    ----------
    origin : RunDirectory
    request : SampleRequest
    watch : callable
        Called with a `Stand` several times a second.

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
    path = request.output or origin.path / "samples" / f"{window.begin:g}-fs-every-{window.every:g}"
    _prepare(origin, window, path, replay=request.replay)
    sample = resume_run(path, watch)
    with house_style():
        figure = sample_figure(*trace(sample), title=sample.settings.name)
    save_figure(figure, path / "fluctuation.png")
    return sample


def available_times(origin: RunDirectory) -> list[float]:
    """List the times of the checkpoints of a run since the voltage came on, fs."""
    dynamics = origin.settings.dynamics
    return [
        step * dynamics.time_step - dynamics.equilibration_time for step in origin.checkpoints()
    ]


def trace(sample: RunDirectory) -> tuple[FloatArray, FloatArray]:
    """Time (fs) and transmission (G0, NaN where unknown) of every sample, shape (n_samples,)."""
    records, dataset = sample.records(), sample.transmission()
    known = fermi_level_transmission(dataset) if dataset is not None else {}
    values = np.array([known.get(number, np.nan) for number in range(len(records))])
    return np.array([record.observables["time"] for record in records]), values


def summary(sample: RunDirectory) -> dict[str, Any]:
    """Describe the fluctuation of a sample.

    Returns
    -------
    dict
        ``directory``; ``time`` (fs) and ``transmission`` (G0, None where unknown) of every sample;
        ``mean`` and ``deviation`` (G0); ``exponent`` of the spectrum and its
        ``exponent_uncertainty``, None for fewer than 64 samples.
    """
    times, values = trace(sample)
    known = values[np.isfinite(values)]
    noise = noise_of(times, values)
    return {
        "directory": str(sample.path),
        "time": times.tolist(),
        "transmission": [None if np.isnan(value) else value for value in values.tolist()],
        "mean": float(known.mean()) if len(known) else None,
        "deviation": float(known.std(ddof=1)) if len(known) > 1 else None,
        "exponent": noise.exponent if noise else None,
        "exponent_uncertainty": noise.exponent_uncertainty if noise else None,
    }


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
    if (path / "run.json").is_file():
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
                checkpoint=f"step-{start}",
            )
        for kept in filter(None, (origin.force_field, origin.hamiltonian)):
            shutil.copyfile(kept, path / kept.name)
        # last of all: a sample with tips is complete
        shutil.copyfile(origin.path / "tips.extxyz", path / "tips.extxyz")
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
