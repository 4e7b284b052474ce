"""Write docs/settings.md from the settings models, so that the page cannot go out of date.

Run it after a change of nanogap.settings.models: python -m docs.build.settings_reference
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nanogap.io import write_text
from nanogap.settings import (
    FirstPrinciplesSettings,
    Settings,
    accuracy_names,
    load_accuracy,
    load_settings,
    preset_names,
)
from nanogap.settings.allowed import allowed_values

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
        if not is_section(field):
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
    lines += [ACCURACY, *table(FirstPrinciplesSettings), ACCURACIES, *accuracies()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    write_text(parser.parse_args().output, page())
