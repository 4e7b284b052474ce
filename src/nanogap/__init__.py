"""Voltage-driven rewiring of metallic nanogaps, from atoms to conductance histograms.

The names of this page are for notebooks and scripts. Each is loaded when it is first used, so that
the import itself takes no time. Structures and frames travel as `ase.Atoms`, results and
measurements as `xarray.Dataset`.

Examples
--------
>>> import nanogap as ng
>>> settings = ng.load_settings("quick", {"voltage.applied": 2.0})
>>> tips = ng.build_tips(settings, lattice_constant=4.216)
>>> len(tips), settings.voltage.applied
(486, 2.0)
"""

from typing import TYPE_CHECKING, Any

from nanogap.caches import choose_caches
from nanogap.lazy import on_first_use

if TYPE_CHECKING:
    from nanogap.device import Device as Device
    from nanogap.dynamics.simulation import Simulation as Simulation
    from nanogap.dynamics.start import build_tips as build_tips
    from nanogap.errors import DataFormatError as DataFormatError
    from nanogap.errors import EngineError as EngineError
    from nanogap.errors import NanogapError as NanogapError
    from nanogap.errors import SettingsError as SettingsError
    from nanogap.errors import StructureError as StructureError
    from nanogap.io import read_measurement as read_measurement
    from nanogap.io import read_measurements as read_measurements
    from nanogap.measured.notebook import breakdown as breakdown
    from nanogap.measured.notebook import histogram as histogram
    from nanogap.measured.notebook import noise as noise
    from nanogap.measured.notebook import plateaus as plateaus
    from nanogap.measured.notebook import plot as plot
    from nanogap.measured.notebook import retention as retention
    from nanogap.measured.notebook import switching as switching
    from nanogap.runs import DeviceRun as DeviceRun
    from nanogap.runs import Run as Run
    from nanogap.runs import open_device as open_device
    from nanogap.runs import open_run as open_run
    from nanogap.runs import resume as resume
    from nanogap.runs import resume_device as resume_device
    from nanogap.runs import run as run
    from nanogap.runs import run_device as run_device
    from nanogap.settings import DeviceSettings as DeviceSettings
    from nanogap.settings import Settings as Settings
    from nanogap.settings import load_device_settings as load_device_settings
    from nanogap.settings import load_settings as load_settings
    from nanogap.settings import preset_names as preset_names
    from nanogap.structure.cut import cut_junction as cut_junction
    from nanogap.transport.compute import compute_transmission as compute_transmission
    from nanogap.transport.tight_binding.bands import bands as bands
    from nanogap.transport.tight_binding.bands import fermi_energy as fermi_energy
    from nanogap.transport.tight_binding.files import load_model as load_model

__version__: str

choose_caches()  # before any of the libraries is loaded

#: Public names by the module that they are loaded from.
_NAMES = {
    "nanogap.device": ("Device",),
    "nanogap.dynamics.simulation": ("Simulation",),
    "nanogap.dynamics.start": ("build_tips",),
    "nanogap.errors": (
        "DataFormatError",
        "EngineError",
        "NanogapError",
        "SettingsError",
        "StructureError",
    ),
    "nanogap.io": ("read_measurement", "read_measurements"),
    "nanogap.measured.notebook": (
        "breakdown",
        "histogram",
        "noise",
        "plateaus",
        "plot",
        "retention",
        "switching",
    ),
    "nanogap.runs": (
        "DeviceRun",
        "Run",
        "open_device",
        "open_run",
        "resume",
        "resume_device",
        "run",
        "run_device",
    ),
    "nanogap.settings": (
        "DeviceSettings",
        "Settings",
        "load_device_settings",
        "load_settings",
        "preset_names",
    ),
    "nanogap.structure.cut": ("cut_junction",),
    "nanogap.transport.compute": ("compute_transmission",),
    "nanogap.transport.tight_binding.bands": ("bands", "fermi_energy"),
    "nanogap.transport.tight_binding.files": ("load_model",),
}

__all__ = ["__version__", *sorted(sum(_NAMES.values(), ()))]  # noqa: PLE0604 the table gives strings

_load = on_first_use(__name__, _NAMES, hint=": dir(nanogap) lists all")


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name != "__version__":
        return _load(name)
    from importlib.metadata import version  # noqa: PLC0415 as slow as all the rest

    globals()[name] = value = version("nanogap")
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
