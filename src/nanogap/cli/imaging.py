"""The subcommand that makes images as of a microscope: arguments in, calls out."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanogap.cli.common import AsJson, check_output, emit, log
from nanogap.cli.idle import refuse_idle
from nanogap.errors import SettingsError

if TYPE_CHECKING:
    import xarray as xr

    from nanogap.imaging.moments import Moments, Scene
    from nanogap.imaging.picture import ImageSettings

#: Images of a series in one figure, and in a film, at most.
_MOST_IMAGES, _MOST_PICTURES = 24, 500


def register(app: typer.Typer) -> None:
    """Add the subcommand to the command line."""
    app.command()(image)


def image(
    source: Annotated[
        Path,
        typer.Argument(
            help="a structure file that ASE reads, or the directory of a run, a device or a wire"
        ),
    ],
    kind: Annotated[str, typer.Option(help="haadf (Z-contrast) or sem (SEM-like shading)")],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="png; or of a series a film, gif or mp4; the numbers beside it as .nc",
        ),
    ],
    at: Annotated[
        float | None, typer.Option(help="time, ps of a run, s otherwise; default: the last moment")
    ] = None,
    moment: Annotated[int | None, typer.Option(help="number of the moment, from 1")] = None,
    wire: Annotated[int | None, typer.Option(help="which wire, from 1 [default: 1]")] = None,
    device: Annotated[int | None, typer.Option(help="which device, from 1 [default: 1]")] = None,
    series: Annotated[
        int | None, typer.Option(help="so many numbered moments, with the curve beside them")
    ] = None,
    probe: Annotated[
        float | None,
        typer.Option(help="full width at half maximum, Å [default: 1; of a wire: 10]"),
    ] = None,
    pixel: Annotated[
        float | None, typer.Option(help="side of a pixel, Å [default: by the probe and the view]")
    ] = None,
    view: Annotated[
        float | None,
        typer.Option(help="width of the view, nm [default: all atoms; of a wire: 600]"),
    ] = None,
    axis: Annotated[
        str | None, typer.Option(help="the beam goes along x, y or z [default: y]")
    ] = None,
    rotate: Annotated[
        str | None,
        typer.Option(help="turn atoms before, degrees about x, y and z", metavar="X,Y,Z"),
    ] = None,
    dose: Annotated[
        float | None, typer.Option(help="electrons per Å², for noise [default: no noise]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="of the noise [default: 0]")] = None,
    background: Annotated[
        float | None,
        typer.Option(help="share or yield of what is behind [default: 0; sem of a wire: 0.3]"),
    ] = None,
    exponent: Annotated[
        float | None, typer.Option(help="n of Z^n [default: 1.7]", min=0.5, max=3.0)
    ] = None,
    energy: Annotated[
        float | None, typer.Option(help="of the electrons, keV [default: 200]")
    ] = None,
    inner: Annotated[
        float | None, typer.Option(help="inner angle of the detector, mrad [default: 60]")
    ] = None,
    outer: Annotated[
        float | None, typer.Option(help="outer angle of the detector, mrad [default: 150]")
    ] = None,
    aperture: Annotated[
        float | None,
        typer.Option(help="semi-angle of the probe of the engine abtem, mrad [default: 20]"),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="linear; or abtem: multislice of few atoms (nanogap[tem])")
    ] = "linear",
    as_json: AsJson = False,
) -> None:
    """Show atoms or a wire as a microscope would: dark-field Z-contrast, or SEM-like shading."""
    from nanogap.imaging.moments import open_moments

    _check_output(output, series)
    _refuse_engines_idle(engine, {"--probe": probe}, {"--aperture": aperture})
    if dose is None:
        refuse_idle({"--seed": seed}, "without --dose: there is no noise")
    if kind == "sem":
        beam = {"--exponent": exponent, "--energy": energy, "--inner": inner, "--outer": outer}
        refuse_idle({**beam, "--aperture": aperture}, "to the kind sem")
    if series is not None:
        refuse_idle({"--at": at, "--moment": moment}, "beside --series, which chooses moments")
    settings = _settings(
        {"kind": kind, "probe": probe, "pixel": pixel, "view": view, "axis": axis, "dose": dose}
        | {"seed": seed, "background": background, "engine": engine, "rotation": _angles(rotate)},
        {"exponent": exponent, "inner": inner, "outer": outer, "aperture": aperture}
        | {"energy": None if energy is None else 1e3 * energy},
    )
    moments = open_moments(source, wire, device)
    if moments.is_wire:
        turned = {"--axis": axis, "--rotate": rotate}
        refuse_idle(turned, "to a wire, which is the same from all sides")
    places = [moments.place(at, moment)] if series is None else moments.chosen(series).tolist()
    if series is not None and len(places) < series:
        log.print(f"Note: {moments.name} has {len(places)} moments to choose", highlight=False)
    command = shlex.join(["nanogap", *sys.argv[1:]])
    with log.status("Image"):
        scenes = [moments.read(place) for place in places]
        images, numbers = _write(scenes, settings, moments, output, command)
    rows, columns = images.sizes["y"], images.sizes["x"]
    if as_json:
        emit(
            {
                "image": str(output),
                "numbers": str(numbers),
                "images": len(scenes),
                "pixels": [columns, rows],
                "pixel": float(images.attrs["pixel"]),
                "captions": [one.caption for one in scenes],
                "command": command,
            }
        )
        return
    if len(scenes) == 1 and scenes[0].caption:
        log.print(f"Moment: {scenes[0].caption}", highlight=False)
    log.print(
        f"Wrote {output} and {numbers}: {len(scenes)} x {columns} x {rows} pixels of "
        f"{images.attrs['pixel']:.3g} nm",
        highlight=False,
    )


def _check_output(output: Path, series: int | None) -> None:
    """Refuse a file that cannot be written, and more moments than it holds."""
    from nanogap.report.film import FILM_SUFFIXES, need_movie_path

    most = _MOST_IMAGES
    if output.suffix.casefold() in FILM_SUFFIXES:
        need_movie_path(output)
        most = _MOST_PICTURES
        if series is None:
            raise SettingsError(f"-o {output}: a film has moments: give --series")
    else:
        check_output(output, (".png", *FILM_SUFFIXES))
    if series is not None and not 2 <= series <= most:
        raise SettingsError(f"--series {series}: give 2 to {most} moments")


def _write(
    scenes: "Sequence[Scene]",
    settings: "ImageSettings",
    moments: "Moments",
    output: Path,
    command: str,
) -> "tuple[xr.Dataset, Path]":
    """Take the images, and write them as a figure or a film, and as numbers beside it."""
    from nanogap.imaging.figure import image_figure, series_figure
    from nanogap.imaging.film import write_image_film
    from nanogap.imaging.picture import take_images
    from nanogap.io import write_dataset
    from nanogap.report.film import FILM_SUFFIXES
    from nanogap.report.marks import save_figure
    from nanogap.report.style import house_style

    images = take_images(scenes, settings, moments.name, command)
    marks = [one.mark for one in scenes]
    if output.suffix.casefold() in FILM_SUFFIXES:
        write_image_film(images, moments.curve, marks, output)
        numbers = output.with_suffix(f"{output.suffix}.nc")  # a figure may have the film's name
    else:
        single = len(scenes) == 1
        with house_style():
            drawn = image_figure(images) if single else series_figure(images, moments.curve, marks)
            save_figure(drawn, output)
        numbers = output.with_suffix(".nc")
    write_dataset(images, numbers)
    return images, numbers


def _refuse_engines_idle(
    engine: str, linear: Mapping[str, object], multislice: Mapping[str, object]
) -> None:
    """Refuse what only the other engine asks for."""
    if engine == "abtem":
        refuse_idle(linear, "to the engine abtem: --aperture makes its probe")
    else:
        refuse_idle(multislice, "without --engine abtem")


def _angles(text: str | None) -> tuple[float, ...] | None:
    """Read three angles, degrees."""
    if text is None:
        return None
    try:
        found = tuple(float(one) for one in text.split(","))
    except ValueError:
        found = ()
    if len(found) != 3:
        raise SettingsError(f"--rotate {text}: give three angles in degrees, as 0,10,0")
    return found


def _settings(image: Mapping[str, object], beam: Mapping[str, object]) -> "ImageSettings":
    """Put what was given into settings; the rest has its default."""
    from nanogap.imaging.microscope import Microscope
    from nanogap.imaging.picture import ImageSettings

    def given(options: Mapping[str, object]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if value is not None}

    return ImageSettings(**given(image), microscope=Microscope(**given(beam)))
