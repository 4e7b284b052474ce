"""Finished points of a PWCOND calculation in a folder: one file per wave vector, and the lead's."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from nanogap.errors import EngineError
from nanogap.io import write_json
from nanogap.transport.espresso.pwcond_output import Point
from nanogap.typing import FloatArray

#: Energies (eV) and wave vectors (fractions) that agree to this are equal.
SAME = 1e-6


class PointStore:
    """Results of one accuracy of PWCOND, restartable.

    Parameters
    ----------
    folder : Path
        Need not exist before something is added.
    name : str
        What messages call the junction.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._name = name

    @property
    def _lead(self) -> Path:
        return self.folder / "lead.json"

    @property
    def knows_lead(self) -> bool:
        """Whether the open channels of the lead alone have been counted."""
        return self._lead.is_file()

    def set_lead(self, k: FloatArray, channels: int) -> None:
        """Remember the open channels of the lead alone at the Fermi energy.

        Parameters
        ----------
        k : ndarray, shape (2,)
            Where they were counted, fractions of the reciprocal cell.
        channels : int
        """
        write_json(self._lead, {"k": k.tolist(), "channels": channels})

    def add(self, found: dict[int, list[Point]], kpoints: FloatArray) -> None:
        """Add finished points to the files of their wave vectors.

        Parameters
        ----------
        found : dict of int to list of Point
            By the row of `kpoints`, see `parse_points`.
        kpoints : ndarray, shape (n_k, 2)

        Raises
        ------
        EngineError
            If a point has other open channels than the lead alone.
        """
        lead = json.loads(self._lead.read_text(encoding="utf-8"))
        for number, points in found.items():
            k = kpoints[number]
            same_k = np.abs(np.array(lead["k"]) - k).max() < SAME
            for point in points:
                if same_k and abs(point.energy) < SAME and point.channels != lead["channels"]:
                    raise EngineError(
                        f"{self._name}: {point.channels} channels of the lead at E_F, "
                        f"k = {k[0]:.4f} {k[1]:.4f}, where the lead alone has "
                        f"{lead['channels']}: its waves are not matched"
                    )
            known = self._known(k) | {_key(point.energy): point for point in points}
            write_json(self._path(k), {key: asdict(point) for key, point in known.items()})

    def points(self, k: FloatArray, energies: list[float]) -> list[Point]:
        """Return the finished points of a wave vector at some energies (eV from E_F).

        Raises
        ------
        KeyError
            If one of them is not there; see `missing`.
        """
        known = self._known(k)
        return [known[_key(energy)] for energy in energies]

    def missing(self, k: FloatArray, energies: list[float]) -> list[float]:
        """Return those of some energies that are not there yet at a wave vector."""
        known = self._known(k)
        return [energy for energy in energies if _key(energy) not in known]

    def _path(self, k: FloatArray) -> Path:
        return self.folder / f"k_{k[0]:+.6f}_{k[1]:+.6f}.json"

    def _known(self, k: FloatArray) -> dict[str, Point]:
        path = self._path(k)
        if not path.is_file():
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
        return {key: Point(**values) for key, values in content.items()}


def _key(energy: float) -> str:
    return f"{energy + 0.0:.6f}"
