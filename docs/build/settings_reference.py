"""Write docs/settings.md from the settings models, so that the page cannot go out of date.

Run it after a change of nanogap.settings: python -m docs.build.settings_reference
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nanogap.cli.programs import run_main
from nanogap.io import write_text
from nanogap.settings import (
    FirstPrinciplesSettings,
    Settings,
    accuracy_names,
    load_accuracy,
    load_settings,
    preset_names,
    preset_text,
)
from nanogap.settings.allowed import allowed_values
from nanogap.settings.device import DeviceSettings, load_device_settings
from nanogap.settings.faults import kinds_of
from nanogap.settings.load import PresetFamily
from nanogap.settings.wire import WireSettings, load_wire_settings

PAGE = Path(__file__).resolve().parents[1] / "settings.md"

HEAD = """\
# Settings

<!-- Written by docs/build/settings_reference.py from the settings models. Do not edit by hand. -->

A run is defined by one TOML file. `nanogap init quick -o mine.toml` writes one to begin with;
`nanogap run mine.toml -o DIR` uses it. Every key has a default, so a file needs only what differs;
an unknown key, a wrong type or a value outside its range is refused before anything is computed.
`--set section.key=value` on the command line wins over the file and may be given several times:

    nanogap run quick -o my-run --set voltage.applied=2 --set seed=7

Units: Å, fs, K, V, eV. The same settings and seed give the same run.
"""

PRESETS = """\
## Presets

A preset is such a file that comes with the package; its name stands where a file's could. What
differs between them and from the defaults:
"""

DEVICES = """\
## Devices

A simulated device (in laboratory time) has a file of its own, with these sections; the preset
`device-quick` is a first one. Units: Å, s, K, V, eV; currents, resistances and capacitances in SI.
"""

PROTOCOL = """\
### [protocol] and [preparation]

The protocol of the measurement, by its `kind`, and one before it that brings the device into its
initial state, for which `kind = "none"` (the default) is none. `--set protocol.kind=pulses` leaves
none of the keys of another kind. [Protocols](protocols.md) says what each does.
"""

DEVICE_PRESETS = """\
### Presets of devices

What the paper ([doi:10.1039/d3nh00476g](https://doi.org/10.1039/d3nh00476g)) does not give is said
to be assumed in the file of the preset.
"""

WIRES = """\
## Wires

A wire before its breakdown has a file of its own too; [The wire before the gap](wire.md) says what
the keys do. Lengths are in nm, other units as stated. `[source]` is that of a device, and
`[protocol]` takes the kinds `voltage-sweep`, `current-sweep`, `staircase`, `constant-read`,
`breakdown-sweep` and `waveform` of devices.
"""

WIRE_PRESETS = """\
### Presets of wires
"""

ACCURACY = """\
## Accuracy of first principles

`--accuracy` of `nanogap transmission --backend pwcond` and of `nanogap reference` takes a name or
the path of a TOML file with these keys; see [First principles](first-principles.md).
"""

ACCURACIES = """\
The packaged ones, where they differ from the defaults:
"""


def is_section(field: FieldInfo) -> bool:
    """Whether a field is a section of the file."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def written(value: Any) -> str:
    """Write a value as TOML does."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "none"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {written(one)}' for key, one in value.items())}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    return str(value)


def table(model: type[BaseModel]) -> Iterator[str]:
    """Give the lines of a table of the keys of a section."""
    yield "| key | default | allowed | meaning |"
    yield "|---|---|---|---|"
    for key, field in model.model_fields.items():
        if not is_section(field) and not kinds_of(field):
            cells = (f"`{key}`", f"`{written(field.default)}`", allowed_values(field))
            yield f"| {' | '.join(cells)} | {field.description} |"
    yield ""


def flat(settings: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give every key with its value."""
    for key, field in type(settings).model_fields.items():
        value = getattr(settings, key)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def presets() -> Iterator[str]:
    """Give the lines of a table of the presets."""
    names = preset_names()
    default, chosen = dict(flat(Settings())), [dict(flat(load_settings(name))) for name in names]
    yield f"| key | default | {' | '.join(names)} |"
    yield "|---|---|" + "---|" * len(names)
    for key, value in default.items():
        values = [preset[key] for preset in chosen]
        if key != "name" and any(other != value for other in values):
            cells = " | ".join(f"`{written(entry)}`" for entry in [value, *values])
            yield f"| `{key}` | {cells} |"


def device_sections() -> Iterator[str]:
    """Give the lines of the tables of a device's settings."""
    yield from table(DeviceSettings)
    for key, field in DeviceSettings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from (f"### [{key}]", "", str(field.annotation.__doc__).strip(), "")
            yield from table(field.annotation)
    yield PROTOCOL
    for kind, model in kinds_of(DeviceSettings.model_fields["protocol"]).items():
        yield from (f'`kind = "{kind}"`: {str(model.__doc__).strip()}', "")
        yield from (row for row in table(model) if not row.startswith("| `kind` "))


def wire_sections() -> Iterator[str]:
    """Give the lines of the tables of a wire's settings, but for those that are a device's."""
    yield from table(WireSettings)
    for key, field in WireSettings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel) and key != "source":
            yield from (f"### [{key}] of a wire", "", str(model.__doc__).strip(), "")
            yield from table(model)


def presets_told(family: PresetFamily) -> Iterator[str]:
    """Give the lines of a table of the presets of devices or of wires."""
    yield "| preset | protocol | time | readings | what it is |"
    yield "|---|---|---|---|---|"
    load = load_device_settings if family == "device" else load_wire_settings
    for name in preset_names(family):
        protocol = load(name).protocol
        comment = [line[2:] for line in preset_text(name, family).splitlines() if line[:1] == "#"]
        about = " ".join(comment)
        cells = f"{protocol.kind} | {protocol.total_duration:.0f} s | {protocol.total_samples}"
        yield f"| `{name}` | {cells} | {about} |"
    yield ""


def accuracies() -> Iterator[str]:
    """Give the lines of a table of the packaged accuracies."""
    names = accuracy_names()
    default = FirstPrinciplesSettings().model_dump()
    chosen = [load_accuracy(name).model_dump() for name in names]
    yield f"| key | {' | '.join(names)} |"
    yield "|---|" + "---|" * len(names)
    for key, value in default.items():
        if any(other[key] != value for other in chosen):
            cells = " | ".join(f"`{written(other[key])}`" for other in chosen)
            yield f"| `{key}` | {cells} |"


def page() -> str:
    """Write the whole page."""
    lines = [HEAD, "## Top level", "", *table(Settings)]
    for key, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            lines += [f"## [{key}]", "", str(field.annotation.__doc__).strip(), ""]
            lines += table(field.annotation)
    lines += [PRESETS, *presets(), ""]
    lines += [DEVICES, *device_sections(), DEVICE_PRESETS, *presets_told("device")]
    lines += [WIRES, *wire_sections(), WIRE_PRESETS, *presets_told("wire")]
    lines += [ACCURACY, *table(FirstPrinciplesSettings), ACCURACIES, *accuracies()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    write_text(parser.parse_args().output, page())


if __name__ == "__main__":
    run_main(main)
