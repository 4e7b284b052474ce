"""The input file as pydantic models, and presets as TOML files."""

from nanogap.settings.energies import parse_energies
from nanogap.settings.first_principles import (
    FirstPrinciplesSettings,
    accuracy_names,
    load_accuracy,
)
from nanogap.settings.folders import cache_folder
from nanogap.settings.load import load_settings, preset_names, preset_text, settings_from_text
from nanogap.settings.models import (
    DynamicsSettings,
    JunctionSettings,
    Settings,
    StructureSettings,
    TransportSettings,
    VoltageSettings,
)

__all__ = [
    "DynamicsSettings",
    "FirstPrinciplesSettings",
    "JunctionSettings",
    "Settings",
    "StructureSettings",
    "TransportSettings",
    "VoltageSettings",
    "accuracy_names",
    "cache_folder",
    "load_accuracy",
    "load_settings",
    "parse_energies",
    "preset_names",
    "preset_text",
    "settings_from_text",
]
