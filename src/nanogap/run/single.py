"""The transmission of a file of junctions or trajectory frames, outside a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ase import Atoms

from nanogap.errors import SettingsError
from nanogap.io import write_dataset
from nanogap.settings import (
    FirstPrinciplesSettings,
    JunctionSettings,
    VoltageSettings,
    parse_energies,
)
from nanogap.structure.cut import cut_junction
from nanogap.structure.junction import read_frames, validate_junction
from nanogap.transport.pwcond import first_principles_transmission
from nanogap.transport.transmission import compute_transmission, transmission_summary


def transmission_of_file(
    path: Path,
    *,
    index: str,
    energies: str,
    kpoints: tuple[int, int],
    gamma_centred: bool,
    per_k: bool,
    cut: str,
    output: Path | None,
    first_principles: FirstPrinciplesSettings | None = None,
    work: Path = Path("pwcond"),
    watch: Callable[[str], None] = lambda _: None,
    confirm: Callable[[float], bool] = lambda _: True,
) -> dict[str, Any]:
    """Compute the transmission of the structures in a file.

    Parameters
    ----------
    path : Path
        Junctions, or frames of a nanogap trajectory, which are cut first.
    index : str
        ASE index or slice.
    energies : str
        See `nanogap.settings.parse_energies`.
    kpoints : tuple of int
        In-plane mesh.
    gamma_centred : bool
        Centre the mesh on Γ.
    per_k : bool
        Add the transmission at every k-point.
    cut : str
        ``paper`` or ``full``.
    output : Path or None
        Where to write the dataset as netCDF-4.
    first_principles : FirstPrinciplesSettings, optional
        Compute with PWCOND to this accuracy, and its k-mesh, instead of tight binding.
    work : Path
        Folder of the first-principles calculations; what it holds is not computed again.
    watch : callable, optional
        Is told what a first-principles calculation does.
    confirm : callable, optional
        Is given the estimated time of a first-principles calculation, s; it begins if it returns
        True.

    Returns
    -------
    dict
        See `nanogap.transport.transmission.transmission_summary`.

    Raises
    ------
    NanogapError
        If an argument or the file is wrong; the message names it.
    """
    values = parse_energies(energies)
    if not all(1 <= number <= 64 for number in kpoints):
        raise SettingsError(f"--kpoints {kpoints[0]} {kpoints[1]}: give two numbers from 1 to 64")
    if cut not in ("paper", "full"):
        raise SettingsError(f"--cut {cut!r}: choose paper or full")
    try:
        for part in index.split(":"):
            int(part or 0)
    except ValueError:
        raise SettingsError(f"--index {index!r} is no frame or slice: give 0, -1 or 0:10") from None
    frames = read_frames(path, index)
    junctions = [_junction(frame, f"{path} frame {i}", cut) for i, frame in enumerate(frames)]
    if first_principles is None:
        dataset = compute_transmission(
            junctions, values, kpoints=kpoints, gamma_centred=gamma_centred
        )
    else:
        dataset = first_principles_transmission(
            junctions,
            values,
            settings=first_principles,
            work=work,
            names=[f"{path} frame {number}" for number in range(len(junctions))],
            watch=watch,
            confirm=confirm,
        )
    if output is not None:
        write_dataset(dataset, output)
    return transmission_summary(dataset, per_k=per_k)


def _junction(frame: Atoms, name: str, cut: str) -> Atoms:
    """Take a junction as it is; cut one from a trajectory frame."""
    if "region" in frame.arrays:
        validate_junction(frame, name)
        return frame
    settings = JunctionSettings.model_validate({"cut": cut})
    return cut_junction(frame, settings, VoltageSettings().cutoff, name)
