"""The file of a fitted model: numbers, their distributions, and how well they describe the data."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nanogap import __version__
from nanogap.compact.gap import Gap
from nanogap.compact.model import CompactModel
from nanogap.compact.point_contact import PointContact
from nanogap.compact.population import Distribution
from nanogap.compact.potentiation import Fluctuations, PotentiationDepression
from nanogap.compact.threshold import Threshold
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import write_json
from nanogap.typing import FloatArray

FORMAT = "nanogap compact model"

#: The models by their names on the command line.
MODELS: dict[str, type[CompactModel]] = {
    one.model: one for one in (PotentiationDepression, Gap, PointContact, Threshold)
}


def model_named(name: str) -> type[CompactModel]:
    """Return the model of a name.

    Raises
    ------
    SettingsError
        If there is none.
    """
    if name not in MODELS:
        raise SettingsError(f"--model {name}: give one of {', '.join(MODELS)}")
    return MODELS[name]


@dataclass(frozen=True)
class HeldOut:
    """The model of one half of the cycles, against the readings of the other.

    Attributes
    ----------
    cycles : int
    explained : float
        1 - (what the typical model leaves)/(what the mean ln G of the fitted half leaves), of the
        sum of squares of ln G.
    error : float
        Root mean square of log10 G of the typical model, decades.
    error_of_mean_curve : float
        The same of the mean curve of the fitted half; as much as any one curve can do. NaN where
        cycles have different programmes.
    inside : float
        Part of the readings inside the 90 % band of models drawn from the distribution.
    """

    cycles: int
    explained: float
    error: float
    error_of_mean_curve: float
    inside: float


@dataclass(frozen=True)
class FittedModel:
    """A model with the distribution of its coordinates.

    Attributes
    ----------
    model : CompactModel
        The typical one.
    mean : ndarray, shape (n_coordinates,)
        Its places.
    covariance : ndarray, shape (n_coordinates, n_coordinates)
        Over cycles and devices.
    distributions : list of Distribution
    fluctuations : Fluctuations or None
        Noise and jumps, of the potentiation model.
    series_resistance : float
        Mean of what is in series with the gaps of the data, ohm.
    held_out : HeldOut or None
    facts : dict
        What else is known of the fit: files, cycles, devices, notes.
    """

    model: CompactModel
    mean: FloatArray
    covariance: FloatArray
    distributions: list[Distribution] = field(default_factory=list)
    fluctuations: Fluctuations | None = None
    series_resistance: float = 0.0
    held_out: HeldOut | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, model: CompactModel) -> "FittedModel":
        """Return a model that was not fitted, without any spread."""
        count = len(model.coordinates)
        return cls(model, model.places(), np.zeros((count, count)))

    def write(self, path: Path) -> None:
        """Write the file."""
        write_json(path, self.content())

    def content(self) -> dict[str, object]:
        """Return what the file holds, as plain numbers."""
        held = self.held_out
        return {
            "format": FORMAT,
            "nanogap": __version__,
            "model": self.model.model,
            "equations": [f"https://doi.org/{doi}" for doi in self.model.sources],
            "parameters": {
                one.name: {
                    "value": getattr(self.model, one.name),
                    "unit": one.unit,
                    "meaning": one.meaning,
                }
                for one in self.model.parameters()
            },
            "levels": list(self.model.levels) if isinstance(self.model, PointContact) else None,
            "coordinates": [
                {
                    **asdict(one),
                    "interval": one.interval and [*one.interval],
                    "allowed": one.allowed and [*one.allowed],
                }
                for one in self.distributions
            ],
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
            "fluctuations": None if self.fluctuations is None else asdict(self.fluctuations),
            "series_resistance": self.series_resistance,
            "held_out": None
            if held is None
            else {
                key: value if np.isfinite(value) else None for key, value in asdict(held).items()
            },
            **self.facts,
        }


_OWN_KEYS = frozenset(
    {"format", "nanogap", "model", "equations", "parameters", "levels", "coordinates", "mean"}
    | {"covariance", "fluctuations", "series_resistance", "held_out"}
)


def read_model(path: Path) -> FittedModel:
    """Read the file of a model.

    Raises
    ------
    DataFormatError
        If it is missing, damaged, or something else.
    """
    if not path.is_file():
        raise DataFormatError(f"no file {path}: 'nanogap compact fit' writes one")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content = content if content["format"] == FORMAT else {}
        kind = MODELS[content["model"]]
        values = {name: float(one["value"]) for name, one in content["parameters"].items()}
        levels = {"levels": tuple(content["levels"])} if content["levels"] else {}
        model = kind(**values, **levels)
        count = len(kind.coordinates)
        mean = np.array(content["mean"], dtype=np.float64).reshape(count)
        covariance = np.array(content["covariance"], dtype=np.float64).reshape(count, count)
        _refuse_other_places(model, mean)
        pairs = ("interval", "allowed")
        found = [
            Distribution(**{**one, **{k: one[k] and tuple(one[k]) for k in pairs}})
            for one in content["coordinates"]
        ]
        noise = content["fluctuations"]
        held = content["held_out"]
        return FittedModel(
            model,
            mean,
            covariance,
            found,
            None if noise is None else Fluctuations(**noise),
            float(content["series_resistance"]),
            None if held is None else _held_out(held),
            {key: value for key, value in content.items() if key not in _OWN_KEYS},
        )
    except SettingsError as error:
        raise DataFormatError(f"{path}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise DataFormatError(
            f"{path} is no compact model that 'nanogap compact fit' wrote, or is damaged "
            f"({type(error).__name__}: {' '.join(str(error).split())[:80]})"
        ) from None


def _refuse_other_places(model: CompactModel, mean: FloatArray) -> None:
    """Refuse a file whose coordinates are counted in another way: it would be another device."""
    if not np.allclose(model.moved(mean).places(), model.places(), rtol=1e-6, atol=1e-6):
        raise ValueError("its mean is not its model, as in a file of an older version")


def _held_out(content: dict[str, float | None]) -> HeldOut:
    """Return the score that a file holds; null is NaN."""
    found = {key: np.nan if value is None else float(value) for key, value in content.items()}
    return HeldOut(
        int(found["cycles"]),
        found["explained"],
        found["error"],
        found["error_of_mean_curve"],
        found["inside"],
    )
