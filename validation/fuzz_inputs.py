"""Inputs of the fuzzer: sound files of every kind, damaged at random, and the command for each."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import write

from nanogap.io import measurement_dataset
from nanogap.synthetic.devices import level_sweeps, switching_loops
from nanogap.synthetic.instrument_files import DIALECTS, write_measurement

PROJECT = Path(__file__).resolve().parents[1]

#: Words that are put in the place of a number, a name or a line.
TOKENS = (
    *("nan", "inf", "-inf", "1e999", "-1", "0", "1e-320", "999999999999", "0x10", "true", '""'),
    *("9" * 5000, "[" * 3000, "{a=" * 300, "\x00", "\x1b[31m", "[/red]", "$x^{$", "<b>x</b>"),
    *("\N{SNOWMAN}", "\ufffd", "a" * 30_000, "../../etc/passwd", "=", ",,,", '"', "'", "1,5"),
    *("2024-13-45", "1D-5", "--", "#REF!", "None", "[]", "{}", "1_000", "\u0661", "x;y\tz"),
)
#: Names of files that mean something to a library or a terminal.
NAMES = (
    *(
        "d",
        "d",
        "d",
        "d",
        "a b",
        "x@2",
        "[red]",
        "$1$",
        "\x1b[31mr",
        "-x",
        "d.",
        "ünï",
        "a#b",
        "x:y",
    ),
)


def damaged_text(text: str, random: np.random.Generator) -> bytes:
    """Damage a text once or a few times."""
    raw = text.encode()
    for _ in range(int(random.integers(1, 4))):
        raw = _damaged(raw, random)
    return raw


def _damaged(raw: bytes, random: np.random.Generator) -> bytes:
    if not raw:
        return raw
    place = int(random.integers(len(raw)))
    size = int(random.integers(1, 60))
    token = str(random.choice(np.array(TOKENS, dtype=object))).encode()
    separator = b"," if b"," in raw else b" "
    words, lines = raw.split(separator), raw.split(b"\n")
    at, other = (int(one) for one in random.integers(len(lines), size=2))
    repeated = raw[place : place + size] * int(random.integers(2, 50))
    words[int(random.integers(len(words)))] = token
    swapped = list(lines)
    swapped[at], swapped[other] = swapped[other], swapped[at]
    key, sign, _ = lines[at].partition(b"=")
    lines[at] = key + sign + token
    ways = [
        raw[:place],
        raw[:place] + raw[place + size :],
        raw[:place] + repeated + raw[place:],
        raw[:place] + random.bytes(size) + raw[place:],
        raw[:place] + token + raw[place:],
        *[separator.join(words)] * 2,
        b"\n".join(lines),
        b"\n".join(swapped),
    ]
    return ways[int(random.integers(len(ways)))]


def damaged_bytes(raw: bytes, random: np.random.Generator) -> bytes:
    """Damage a binary file: bytes flipped, cut out, cut off or put in."""
    data = bytearray(raw)
    for _ in range(int(random.integers(1, 12))):
        place = int(random.integers(len(data)))
        way = int(random.integers(5))
        if way < 3:
            data[place] = int(random.integers(256)) if way else 255
        elif way == 3:
            data[place : place + 4] = b"\xff\xff\xff\x7f"
        elif random.random() < 0.2:
            del data[place:]
            data.extend(b"\0")
    return bytes(data)


def _name(random: np.random.Generator, suffix: str) -> str:
    return "./" + str(random.choice(np.array(NAMES, dtype=object))) + suffix


def _command(name: str, random: np.random.Generator) -> list[str]:
    """Choose a command for measured data."""
    commands = [
        ["histogram", name],
        ["histogram", name, "--json"],
        ["histogram", name, "--columns", "voltage=2,current=3"],
        ["histogram", name, "--log", "-o", "figure.png"],
        ["plateaus", name, "--json"],
        ["switching", name],
        ["retention", name],
        ["noise", name],
        ["noise", name, "--interval", "nan"],
        ["breakdown", name, "--json"],
        ["report", name, "-o", "page.html"],
    ]
    return commands[int(random.integers(len(commands)))]


def _measurement(folder: Path, random: np.random.Generator, dialect: str) -> bytes:
    curve = (
        switching_loops(random, cycles=2, step=0.1)
        if random.random() < 0.5
        else level_sweeps(random, cycles=2, points=60)
    )
    data = measurement_dataset(
        time=curve.time,
        voltage=curve.voltage,
        current=curve.current,
        cycle=curve.cycle,
        compliance=curve.compliance,
        attrs={"device": str(random.choice(np.array(TOKENS[-20:], dtype=object)))[:40]},
    )
    path = folder / f"made{DIALECTS[dialect][0]}"
    write_measurement(data, path, dialect)
    raw = path.read_bytes()
    path.unlink()
    return raw


def text_table(folder: Path, random: np.random.Generator) -> list[str]:
    """Make a text table of some dialect."""
    names = [name for name, row in DIALECTS.items() if row[0] not in {".xlsx", ".nc"}]
    dialect = str(random.choice(names))
    raw = _measurement(folder, random, dialect)
    name = _name(random, str(random.choice([".csv", ".txt", ".dat", ".mpt", ".lvm", ".xls"])))
    path = folder / name
    path.write_bytes(damaged_text(raw.decode("utf-8", "replace"), random))
    return _command(name, random)


def binary_workbook(folder: Path, random: np.random.Generator) -> list[str]:
    """Make an xls file."""
    raw = (PROJECT / "tests" / "io" / "keithley_4200.xls").read_bytes()
    name = _name(random, ".xls")
    (folder / name).write_bytes(damaged_bytes(raw, random))
    return _command(name, random)


def workbook(folder: Path, random: np.random.Generator) -> list[str]:
    """Make an xlsx file whose XML or whose container is damaged."""
    raw = _measurement(folder, random, "keithley-4200-xlsx")
    if random.random() < 0.7:
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(buffer, "w") as new:
            entries = old.namelist()
            chosen = str(random.choice(entries))
            for entry in entries:
                content = old.read(entry)
                if entry == chosen:
                    content = damaged_text(content.decode(), random)
                new.writestr(entry, content)
        raw = buffer.getvalue()
    else:
        raw = damaged_bytes(raw, random)
    name = _name(random, ".xlsx")
    (folder / name).write_bytes(raw)
    return _command(name, random)


def netcdf(folder: Path, random: np.random.Generator) -> list[str]:
    """Make a netCDF file."""
    raw = damaged_bytes(_measurement(folder, random, "netcdf"), random)
    name = _name(random, str(random.choice([".nc", ".h5"])))
    (folder / name).write_bytes(raw)
    return _command(name, random)


def junction(folder: Path, random: np.random.Generator) -> list[str]:
    """Make a junction file: a chain of silver atoms."""
    atoms = Atoms("Ag12", [(5.0, 5.0, 2.9 * n) for n in range(12)], cell=(10.0, 10.0, 34.8))
    atoms.arrays["region"] = np.array(["left"] * 4 + ["channel"] * 4 + ["right"] * 4)
    atoms.info.update(left_period=11.6, right_period=11.6)
    text = io.StringIO()
    write(text, atoms, format="extxyz")
    raw = text.getvalue()
    if random.random() < 0.1:
        raw = raw.replace("12\n", f"{10 ** int(random.integers(3, 14))}\n", 1)
    elif random.random() < 0.8:
        raw = damaged_text(raw, random).decode("utf-8", "replace")
    name = _name(random, ".extxyz")
    (folder / name).write_bytes(raw.encode())
    options = [
        *([], [], [], ["--json"], ["--iv", "0:0.1:0.05"], ["--iv", "0:500:100"]),
        *(["--iv", "0:1:nan"], ["--temperature", "nan"], ["--temperature", "inf"]),
        *(["--kpoints", "0", "0"], ["--kpoints", "-1", "9"], ["--energies", "nan"]),
    ]
    return ["transmission", name, *options[int(random.integers(len(options)))]]


def settings(folder: Path, random: np.random.Generator) -> list[str]:
    """Make a settings file; the name of the output is wrong, so that no sound one is built."""
    presets = PROJECT / "src" / "nanogap" / "settings" / "presets"
    text = (presets / "quick.toml").read_text(encoding="utf-8")
    name = _name(random, ".toml")
    (folder / name).write_bytes(damaged_text(text, random))
    return ["build", name, "-o", "tips.wrong"]


def campaign(folder: Path, random: np.random.Generator) -> list[str]:
    """Make a campaign file that is never sound, so that no campaign begins."""
    text = (PROJECT / "docs" / "data" / "ensemble.toml").read_text(encoding="utf-8")
    name = _name(random, ".toml")
    (folder / name).write_bytes(
        damaged_text(text, random) + b'\n[["never" = a campaign must not begin\n'
    )
    return ["campaign", "run", name, "-o", "members"]


def run_folder(folder: Path, random: np.random.Generator) -> list[str]:
    """Make a run directory whose files are cut off, empty or something else."""
    run = folder / "run"
    run.mkdir()
    description = '{"nanogap": "0.2.0", "settings": {"seed": 1}, "engine": {}, "created": "x"}'
    for name in ("run.json", "dynamics.json", "settings.toml", "trajectory.jsonl"):
        if random.random() < 0.8:
            (run / name).write_bytes(damaged_text(description, random))
    commands = ["status", "stages", "report", "resume"]
    return [commands[int(random.integers(len(commands)))], "run"]


def model(folder: Path, random: np.random.Generator) -> list[str]:
    """Make a file of a Hamiltonian, from which a fit begins."""
    data = PROJECT / "src" / "nanogap" / "transport" / "data"
    text = (data / "hamiltonian_ag.toml").read_text(encoding="utf-8")
    (folder / "model.toml").write_bytes(damaged_text(text, random))
    # without reference bands of its own it ends before the fit, which takes an hour
    return ["fit-hamiltonian", "--start", "model.toml", "--hold-out", "no such structure"]


KINDS: dict[str, Callable[[Path, np.random.Generator], list[str]]] = {
    "text table": text_table,
    "xls": binary_workbook,
    "xlsx": workbook,
    "netcdf": netcdf,
    "junction": junction,
    "settings": settings,
    "campaign": campaign,
    "run directory": run_folder,
    "hamiltonian": model,
}
