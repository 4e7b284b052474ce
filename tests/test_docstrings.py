"""What is written about the package is true: names exist, examples run, docstrings are there."""

import ast
import dataclasses
import doctest
import importlib
import re
from pathlib import Path

import pytest

import nanogap

ROOT = Path(nanogap.__file__).parent
PROJECT = Path(__file__).resolve().parents[1]
MODULES = sorted(ROOT.rglob("*.py"))
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")])

#: Dotted names of the package in backticks.
NAME = re.compile(r"`(nanogap(?:\.[A-Za-z_]\w*)+)(?:\(\))?`")

#: A docstring begins with a verb or a noun.
NO_BEGINNING = {"Of", "What", "Which", "How", "Where", "When", "Why"}


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def documented(tree):
    """Give every public module, class and function with its name and docstring."""
    yield "module", ast.get_docstring(tree)
    stack = [(node, "") for node in tree.body]
    while stack:
        node, prefix = stack.pop()
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        if not isinstance(node, kinds) or node.name.startswith("_") or is_setter(node):
            continue
        yield prefix + node.name, ast.get_docstring(node)
        if isinstance(node, ast.ClassDef):
            stack += [(inner, f"{prefix}{node.name}.") for inner in node.body]


def is_setter(node):
    return any(getattr(each, "attr", None) == "setter" for each in node.decorator_list)


def exists(name):
    """Whether a dotted name can be reached: a module, an attribute, a field."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        break
    for part in parts[length:]:
        fields = getattr(found, "__annotations__", {}) | getattr(found, "model_fields", {})
        if dataclasses.is_dataclass(found):
            fields |= {field.name: field for field in dataclasses.fields(found)}
        if not hasattr(found, part):
            return part in fields
        found = getattr(found, part)
    return True


def relative(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_everything_public_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [name for name, text in documented(tree) if not text] == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_docstrings_begin_with_a_verb_or_a_noun(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    begun = {name: text.split()[0] for name, text in documented(tree) if text}
    assert {name: word for name, word in begun.items() if word in NO_BEGINNING} == {}


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=lambda path: path.name)
def test_the_names_that_are_mentioned_exist(path):
    names = set(NAME.findall(path.read_text(encoding="utf-8")))
    assert [name for name in sorted(names) if not exists(name)] == []


def test_a_name_that_does_not_exist_is_noticed():
    assert exists("nanogap.structure.gap.Gap.bridge_atoms")
    assert exists("nanogap.settings.models.VoltageSettings.cutoff")
    assert not exists("nanogap.structure.gap.Gap.bridge")
    assert not exists("nanogap.structures")


@pytest.mark.parametrize(
    "path", [path for path in MODULES if ">>> " in path.read_text(encoding="utf-8")], ids=relative
)
def test_the_examples_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(module_name(path))
    assert not doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed
