"""Digests of content and of sources: equal content has one name, other content another."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest

from nanogap import digest
from nanogap.digest import content_digest, source_digest


@dataclass(frozen=True)
class Point:
    x: float
    y: object = None


def test_equal_content_has_one_digest():
    array = np.arange(6.0).reshape(2, 3)
    assert content_digest(array) == content_digest(np.asfortranarray(array))
    assert content_digest(0.0, np.zeros(2)) == content_digest(-0.0, -np.zeros(2))
    assert content_digest(np.float64(0.1), np.int64(3)) == content_digest(0.1, 3)
    assert content_digest({"a": 1, "b": 2}) == content_digest({"b": 2, "a": 1})
    assert content_digest(Point(1.0, (2, "x"))) == content_digest(replace(Point(1.0), y=(2, "x")))


def test_other_content_has_another_digest():
    @dataclass(frozen=True)
    class Other:
        x: float
        y: object = None

    values = [
        None, True, False, 0, 1, 0.0, 1e-300, "", "0", b"0", "None", (), ("ab", "c"), ("a", "bc"),
        ("abc",), (("a",), "bc"), {"a": "b"}, np.zeros(2), np.zeros((1, 2)), np.zeros(2, dtype=int),
        Point(1.0), Point(2.0), Other(1.0), Point(1.0, Point(1.0)),
    ]  # fmt: skip
    found = [content_digest(value) for value in values]
    for (one, first), (two, second) in itertools.combinations(zip(found, values, strict=True), 2):
        assert one != two, (first, second)


@pytest.mark.parametrize("value", [object(), len, {1, 2}, np.array([object()])])
def test_what_has_no_known_content_is_refused(value):
    with pytest.raises(TypeError, match="its content is not known"):
        content_digest(value)


def test_the_digest_of_sources_reads_every_module_of_a_sub_package(tmp_path, monkeypatch):
    monkeypatch.setattr(digest, "files", lambda _: tmp_path)
    (tmp_path / "inner").mkdir()
    seen = {source_digest("some")}
    for name, text in (("a.py", "x = 1"), ("inner/b.py", "x = 1"), ("inner/b.py", "x = 2")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        seen.add(source_digest("some"))
    (tmp_path / "inner" / "notes.txt").write_text("no code", encoding="utf-8")
    seen.add(source_digest("some"))
    assert len(seen) == 4
    assert len(source_digest("nanogap.transport.negf", "nanogap.transport.tight_binding")) == 64
