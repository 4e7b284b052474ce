"""The house plan: a room imports only from rooms below it; no module is too long to see."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import nanogap

ROOT = Path(nanogap.__file__).parent
PROJECT = Path(__file__).resolve().parents[1]
MODULES = sorted(ROOT.rglob("*.py"))

#: What every room may use: no room of ours below them.
FOUNDATION = {
    "arguments",
    "computed",
    "errors",
    "frames",
    "units",
    "typing",
    "digest",
    "observables",
    "printing",
    "processes",
    "caches",
    "lazy",
    "spool",
}

ANALYSIS = {"analysis", "analysis/traces", "analysis/filament"}
SOLVERS = {"transport", "transport/tight_binding", "transport/negf", "transport/espresso"}

#: Which rooms a room may import from, besides itself and the foundation. A room is a folder, or a
#: module that has a job of its own. Measurements join at the analysis, so neither `analysis` nor
#: `electrical` knows how a simulation is made.
MAY_IMPORT = {
    "arguments": set(),
    "computed": set(),
    "errors": set(),
    "frames": set(),
    "units": set(),
    "typing": set(),
    "digest": set(),
    "observables": set(),
    "caches": set(),
    "lazy": set(),
    "printing": set(),
    "processes": set(),
    "spool": set(),
    # protocols are described once, where they act
    "settings": {"electrical"},
    "io": set(),
    "electrical": set(),
    "analysis/traces": set(),
    "analysis/filament": {"analysis/traces"},
    "analysis": {"analysis/traces", "analysis/filament"},
    "structure": {"settings"},
    # a compiled kernel: arrays and numbers of a force field, no settings
    "dynamics/native": set(),
    "dynamics": {"settings", "structure", "io", "dynamics/native"},
    # what every way to a transmission shares: meshes, datasets, currents
    "transport": {"settings", "structure"},
    "transport/tight_binding": {"transport", "structure"},
    "transport/negf": {"transport", "transport/tight_binding", "settings", "structure", "io"},
    "transport/espresso": {"transport", "settings", "structure", "io"},
    "transport/fitting": {"transport", "transport/tight_binding", "transport/negf", "structure"},
    "transport/backends": {*SOLVERS, "settings", "structure"},
    "transport/compute": {*SOLVERS, "transport/backends", "settings", "structure"},
    "transport/of_file": {"transport", "transport/tight_binding", "transport/backends"}
    | {"transport/compute", "settings", "structure", "io"},
    # atoms at laboratory times, behind their circuit: no room of plots or files of runs
    "device/lattice": {"structure"},
    "device/kernels": {"device/lattice"},
    "device": {"settings", "electrical", "structure", "io", "dynamics", *SOLVERS}
    | {"transport/backends", "device/lattice", "device/kernels"},
    # the wire before the gap, and its tips as needles of atoms: readings and moments, no folder
    "wire": {"settings", "electrical", "structure", "io"},
    "synthetic": {"electrical", "io"},
    # virtual units with a device behind them, and protocols on real ones
    "instruments": {"settings", "electrical", "io", "device", "synthetic"},
    # a device driven by hand on a page of this machine
    "live": {"settings", "electrical", "io", "device", "device/lattice", "instruments", "report"},
    "report": {"settings", "structure", "dynamics", "electrical", *ANALYSIS, "io", *SOLVERS}
    | {"transport/fitting", "wire"},
    "measured": {"settings", "electrical", *ANALYSIS, "io", "report"},
    # few numbers that stand for a device: measured curves in, circuits and networks out
    "compact": {"electrical", *ANALYSIS, "io", "report", "measured"},
    "runs": {"settings", "structure", "dynamics", *SOLVERS, "transport/backends"}
    | {*ANALYSIS, "io", "report", "device", "device/lattice", "wire"},
    # pictures as a microscope shows them, of whatever a run has left
    "imaging": {"structure", "io", "wire", "report", "runs"},
    # many runs
    "campaign": {
        "settings",
        "structure",
        "dynamics",
        "electrical",
        *ANALYSIS,
        "io",
        "report",
        "runs",
        # a plan is refused where no Hamiltonian would give a transmission
        "transport/tight_binding",
    }
    | {"measured"},
}
#: The doors of the house, which may use every room.
DOORS = {"__init__", "__main__", "cli"}


def room_of(parts):
    """Room of a module, by the parts of its path or dotted name below nanogap."""
    names = [part.removesuffix(".py") for part in parts]
    for length in range(len(names), 0, -1):
        room = "/".join(names[:length])
        if room in MAY_IMPORT:
            return room
    return names[0] if names else "__init__"


def imported_names(path):
    """Dotted names below nanogap that a module imports, wherever in it the import stands."""
    package = ("nanogap", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            # "from nanogap.transport import negf" imports the room that it names
            names = [f"{module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "nanogap" and len(parts) > 1 and not parts[1].startswith("_"):
                yield tuple(parts[1:])


def imported_rooms(path):
    return {room_of(parts) for parts in imported_names(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_below_it(path):
    room = room_of(path.relative_to(ROOT).parts)
    if room in DOORS:
        return
    assert imported_rooms(path) <= MAY_IMPORT[room] | FOUNDATION | {room}


def test_the_plan_has_no_circle():
    order = list(TopologicalSorter(MAY_IMPORT).static_order())
    assert set(order) == MAY_IMPORT.keys()


def test_the_checked_imports_are_the_real_ones():
    rooms = imported_rooms(ROOT / "runs" / "driver.py")
    assert {"dynamics", "errors", "runs", "settings", "structure"} <= rooms
    assert "transport/tight_binding" in imported_rooms(ROOT / "transport" / "negf" / "leads.py")


def test_every_folder_is_in_the_plan():
    folders = {path.parent.relative_to(ROOT).as_posix() for path in MODULES} - {"."}
    assert folders - MAY_IMPORT.keys() <= DOORS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_too_long_to_see(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_beside_the_package_is_imported_by_it(path):
    beside = {"tests", "validation", "parametrisation", "docs", "benchmarks"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & beside
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            assert node.module.split(".")[0] not in beside


@pytest.mark.parametrize("folder", ["validation", "parametrisation", "benchmarks", "docs/build"])
def test_programs_beside_the_package_import_no_tests(folder):
    for path in (PROJECT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert node.module.split(".")[0] not in {"tests", "pytest"}, path


@pytest.mark.parametrize("folder", ["validation", "parametrisation", "benchmarks", "docs/build"])
def test_programs_beside_the_package_end_with_a_sentence(folder):
    """All that are given a path: bad input is no traceback."""
    for path in (PROJECT / folder).rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if '__name__ == "__main__"' in source and "argparse.Argument" in source:
            begins = source.index('__name__ == "__main__"')
            assert "run_main(main)" in source[begins:], path


def returns(tree):
    """Public functions and methods of a module, and what they are annotated to return."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from returns(node)
        elif (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and not node.name.startswith("_")
            and node.returns is not None
        ):
            yield node.name, ast.unparse(node.returns)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_public_function_returns_a_dictionary_of_anything(path):
    """States and results have names, types and units: they are data classes or datasets."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [name for name, kind in returns(tree) if "dict[str, Any]" in kind] == []


def test_the_return_types_are_found():
    tree = ast.parse("class A:\n def f(self) -> 'list[dict[str, Any]]': ...\n def _g(self): ...")
    assert list(returns(tree)) == [("f", "'list[dict[str, Any]]'")]
