"""The file from which an interrupted fit goes on."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nanogap.digest import content_digest
from nanogap.errors import SettingsError
from nanogap.transport.fitting.parameters import N_PARAMETERS, pack, unpack
from nanogap.transport.fitting.reference_bands import ReferenceBands
from nanogap.transport.fitting.stages import Progress
from nanogap.transport.tight_binding.model import TightBindingModel


def progress_path(output: Path) -> Path:
    """Return the path of the progress of a fit whose result is to be `output`."""
    return output.with_name(f"{output.stem}.part.json")


def fit_key(
    model: TightBindingModel,
    references: Sequence[ReferenceBands],
    held_out: Sequence[str],
    seed: int,
) -> str:
    """Name a fit by all that its stages depend on.

    The number of restarts is not among it: a fit that was interrupted goes on with another one.
    """
    bands = [
        (one.name, one.atoms.positions, one.atoms.cell.array, one.kpoints, one.bands)
        for one in references
    ]
    weights = [(one.k_weights, one.importance, one.shift_importance) for one in references]
    start = (model.element, model.electrons_per_atom, model.inner_cutoff, model.cutoff, pack(model))
    return content_digest(start, bands, weights, sorted(held_out), seed)


def progress_text(progress: Progress, key: str) -> str:
    """Return the content of the file of a fit's progress."""
    content = {
        "about": "Progress of 'nanogap fit-hamiltonian': the same command goes on from it.",
        "fit": key,
        "finished": progress.finished,
        "sum_of_squares": progress.sum_of_squares,
        "parameters": pack(progress.model).tolist(),
        "offsets": progress.offsets.tolist(),
    }
    return json.dumps(content, indent=1)


def read_progress(path: Path, key: str, model: TightBindingModel, count: int) -> Progress | None:
    """Read the progress of a fit.

    Parameters
    ----------
    path : Path
    key : str
        Of the fit that is to go on, see `fit_key`.
    model : TightBindingModel
        From which the fit started.
    count : int
        Number of its structures.

    Returns
    -------
    Progress or None
        To the bit what was written; None if there is no file.

    Raises
    ------
    SettingsError
        If the file is broken, or is of another fit.
    """
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        vector = np.array(content["parameters"], dtype=np.float64)
        offsets = np.array(content["offsets"], dtype=np.float64)
        finished, total = int(content["finished"]), float(content["sum_of_squares"])
        whole = vector.shape == (N_PARAMETERS,) and np.isfinite(vector).all()
        if not whole or offsets.shape != (count,) or finished < 1:
            raise ValueError("its numbers are not those of this fit")  # noqa: TRY301
        known = content["fit"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path}, the progress of an interrupted fit, cannot be read ({error}): remove it to "
            "begin anew"
        ) from None
    if known != key:
        raise SettingsError(
            f"{path} is the progress of a fit of other bands, from another start or with another "
            "seed: give the command of that fit to go on, another -o, or remove it"
        )
    return Progress(finished, total, unpack(vector, model), offsets)
