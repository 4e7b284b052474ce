"""Images of moments, all on one grid, as a dataset that says how it was made."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Literal

import numpy as np
import xarray as xr
from ase import Atoms

from nanogap.errors import SettingsError
from nanogap.imaging.grid import MOST_PIXELS, PixelGrid
from nanogap.imaging.haadf import haadf_of_atoms, haadf_of_outline
from nanogap.imaging.microscope import Microscope
from nanogap.imaging.moments import Scene
from nanogap.imaging.multislice import multislice_haadf
from nanogap.imaging.noise import counted_electrons
from nanogap.imaging.outline import Outline
from nanogap.imaging.probe import deviation_of
from nanogap.imaging.sem import need_background, sem_of_atoms, sem_of_outline
from nanogap.imaging.view import seen_along
from nanogap.typing import FloatArray

#: What an image shows, by its kind: variable, unit and words.
SHOWN = {
    "haadf": ("share", "1", "share of the beam that is detected"),
    "sem": ("yield", "1", "yield, of a flat surface 1"),
}
_PER_NANOMETRE = 10.0
#: Widths of the probe where none is given, angstrom: of atoms, and of a wire.
_PROBES = (1.0, 10.0)
#: Pixels of the longer side where no pixel is given, and pixels in the width of the probe.
_PIXELS, _PER_PROBE = 800, 10.0
#: Angstrom beside the outermost atoms.
_MARGIN = 4.0
#: Widest pixel and probe of atoms, angstrom: ten of them.
_COARSEST = 30.0
#: Field of view of a wire, angstrom, in widths of its gap if that is wide; and height to width.
_FIELD, _GAPS, _HEIGHT = 6000.0, 1.6, 0.4
#: Yield beside a wire: that of its substrate, assumed.
_SUBSTRATE = 0.3
_AXES: dict[str, object] = {"units": "nm"}


@dataclass(frozen=True)
class ImageSettings:
    """Choices by which images are made.

    Attributes
    ----------
    kind : str
        haadf or sem.
    probe : float or None
        Full width at half maximum, angstrom; None: 1 of atoms and 10 of a wire.
    pixel : float or None
        Side of a pixel, angstrom; None: what makes 800 of the longer side, but of
        atoms no less than a tenth of the probe.
    view : float or None
        Width of the field of view, nm; None: all atoms, or 600 nm around the neck of a wire.
    axis : str
        x, y or z: along it the beam goes through atoms.
    rotation : tuple of float
        Of the atoms before that, about x, y and z, degrees.
    dose : float or None
        Electrons per square angstrom; None: no noise.
    seed : int
        Of the noise.
    background : float or None
        Share or yield of what is behind; None: 0, and 0.3 in the shading of a wire.
    engine : str
        linear, or abtem: multislice, of few atoms.
    microscope : Microscope

    Raises
    ------
    SettingsError
        If kind or engine is unknown, or the engine cannot make the kind.
    """

    kind: str = "haadf"
    probe: float | None = None
    pixel: float | None = None
    view: float | None = None
    axis: str = "y"
    rotation: tuple[float, ...] = (0.0, 0.0, 0.0)
    dose: float | None = None
    seed: int = 0
    background: float | None = None
    engine: Literal["linear", "abtem"] = "linear"
    microscope: Microscope = field(default_factory=Microscope)

    def __post_init__(self) -> None:
        if self.kind not in SHOWN:
            raise SettingsError(f"kind = {self.kind}: choose {' or '.join(SHOWN)}")
        if self.engine not in {"linear", "abtem"}:
            raise SettingsError(f"engine = {self.engine}: choose linear or abtem")
        if self.probe is not None:
            deviation_of(self.probe)  # refuses what is no width
        if self.engine == "abtem" and self.kind != "haadf":
            raise SettingsError(f"engine = abtem makes the kind haadf, not {self.kind}")

    def probe_of(self, body: Atoms | Outline) -> float:
        """Return the width of the probe for a body, angstrom."""
        return _PROBES[isinstance(body, Outline)] if self.probe is None else self.probe


def take_images(
    scenes: Sequence[Scene], settings: ImageSettings, name: str, command: str = ""
) -> xr.Dataset:
    """Take an image of each scene, all on one grid.

    Parameters
    ----------
    scenes : sequence of Scene
        At least one; all of atoms, or all of a wire.
    settings : ImageSettings
    name : str
        Of what is seen.
    command : str
        What makes the images again.

    Returns
    -------
    xarray.Dataset
        ``share`` or ``yield`` over (``moment``, ``y``, ``x``), with a finite dose also
        ``electrons`` as they are counted; ``x`` and ``y`` in nm; ``caption`` of each moment. The
        attribute ``settings`` is JSON, ``command`` what makes it again.

    Raises
    ------
    SettingsError
        If a setting is out of its range, or the image would have too many pixels.

    Examples
    --------
    >>> from ase import Atoms
    >>> made = take_images([Scene(Atoms("Ag"), "")], ImageSettings(), "an atom")
    >>> dict(made.sizes), round(float(made["x"].max()), 2)
    ({'moment': 1, 'y': 80, 'x': 80}, 0.4)
    """
    for one in scenes:
        if isinstance(one.body, Atoms) and (one.body.numbers < 1).any():
            raise SettingsError(f"{name} holds an atom without an element (number 0): name it")
    grid = grid_of(scenes, settings)
    _refuse_coarse(scenes, grid, settings)
    if len(scenes) * grid.rows * grid.columns > MOST_PIXELS:
        raise SettingsError(
            f"{len(scenes)} images of {grid.columns} x {grid.rows} pixels: there may be "
            f"{MOST_PIXELS} together: choose fewer moments, larger pixels or a smaller view"
        )
    values = np.array([_image(one.body, grid, settings) for one in scenes])
    variable, unit, words = SHOWN[settings.kind]
    made = xr.Dataset(
        {variable: (("moment", "y", "x"), values, {"units": unit, "long_name": words})},
        coords={
            "x": ("x", grid.x / _PER_NANOMETRE, _AXES),
            "y": ("y", grid.y / _PER_NANOMETRE, _AXES),
            "moment": np.arange(1, len(scenes) + 1),
            "caption": ("moment", np.array([one.caption for one in scenes], dtype=object)),
        },
        attrs={
            "title": name,
            "kind": settings.kind,
            "pixel": grid.pixel / _PER_NANOMETRE,
            "probe": settings.probe_of(scenes[0].body) / _PER_NANOMETRE,
            "settings": json.dumps(asdict(settings)),
            "command": command,
            "nanogap_version": version("nanogap"),
        },
    )
    if settings.dose is not None:
        counts = counted_electrons(values, grid.pixel, settings.dose, settings.seed)
        words = "electrons counted in a pixel"
        made["electrons"] = (("moment", "y", "x"), counts, {"units": "1", "long_name": words})
    return made


def grid_of(scenes: Sequence[Scene], settings: ImageSettings) -> PixelGrid:
    """Return the grid on which all scenes are seen.

    Raises
    ------
    SettingsError
        If pixel or field of view are no positive numbers, or there would be too many pixels.
    """
    last = scenes[-1].body
    if isinstance(last, Outline):
        gap = _gap_of(last)
        width = _given(settings.view, max(_FIELD, _GAPS * gap))
        size = width, max(_HEIGHT * width, 3.0 * last.thickest)
        return PixelGrid.around((last.neck, 0.0), size, _given_pixel(settings, max(size) / _PIXELS))
    seen = [
        seen_along(one.body, settings.axis, settings.rotation)
        for one in scenes
        if isinstance(one.body, Atoms)
    ]
    low = np.min([one[:, :2].min(axis=0) for one in seen], axis=0)
    high = np.max([one[:, :2].max(axis=0) for one in seen], axis=0)
    probe = settings.probe_of(last)
    whole = high - low + 2.0 * max(_MARGIN, 1.5 * probe)
    width = _given(settings.view, float(whole[0]))
    # a narrower field of view is no taller than wide
    height = float(whole[1]) if settings.view is None else min(float(whole[1]), width)
    pixel = _given_pixel(settings, max(probe / _PER_PROBE, max(width, height) / _PIXELS))
    middle = (low + high) / 2.0
    return PixelGrid.around((float(middle[0]), float(middle[1])), (width, height), pixel)


def _refuse_coarse(scenes: Sequence[Scene], grid: PixelGrid, settings: ImageSettings) -> None:
    """Refuse pixels and probes in which nothing of what is there would be seen."""
    body = scenes[-1].body
    scale = 2.0 * body.thickest if isinstance(body, Outline) else _COARSEST
    for name, width in (("pixel", grid.pixel), ("probe", settings.probe_of(body))):
        if width > scale:
            raise SettingsError(
                f"{name} = {width:.4g} Å: nothing would be seen; give {scale:.4g} Å or less"
                + (", or a smaller view" if name == "pixel" else "")
            )


def _given(view: float | None, default: float) -> float:
    """Return the width of the field of view, angstrom."""
    if view is None:
        return default
    if not (math.isfinite(view) and view > 0.0):
        raise SettingsError(f"view = {view:g}: give the width of the field of view, nm, above 0")
    return view * _PER_NANOMETRE


def _given_pixel(settings: ImageSettings, default: float) -> float:
    return default if settings.pixel is None else settings.pixel


def _gap_of(outline: Outline) -> float:
    """Return the width of the gap of a wire, angstrom; 0 while it is whole."""
    none = outline.places[outline.squares <= 0.0]
    return float(np.ptp(none)) if len(none) else 0.0


def _image(body: Atoms | Outline, grid: PixelGrid, settings: ImageSettings) -> FloatArray:
    """Take one image."""
    probe, scope = settings.probe_of(body), settings.microscope
    background = settings.background
    if background is not None:
        need_background(background)
    if isinstance(body, Outline):
        if settings.engine == "abtem":
            raise SettingsError("engine = abtem images atoms, and a wire has none: leave it out")
        if settings.kind == "sem":
            behind = _SUBSTRATE if background is None else background
            return sem_of_outline(body, grid, probe=probe, background=behind)
        return haadf_of_outline(body, grid, probe=probe, microscope=scope) + (background or 0.0)
    seen = seen_along(body, settings.axis, settings.rotation)
    if settings.engine == "abtem":
        return multislice_haadf(body, seen, grid, scope) + (background or 0.0)
    if settings.kind == "sem":
        return sem_of_atoms(body, seen, grid, probe=probe, background=background or 0.0)
    return haadf_of_atoms(body, seen, grid, probe=probe, microscope=scope) + (background or 0.0)
