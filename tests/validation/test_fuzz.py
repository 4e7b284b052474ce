"""The fuzzer finds what it judges, and some tens of its cases are without fault."""

import json
from pathlib import Path

import pytest
from validation.fuzz import fuzz, judge
from validation.fuzz_inputs import KINDS

SUMMARY = Path(__file__).resolve().parents[2] / "docs" / "data" / "fuzz.json"


def test_a_short_run_finds_nothing():
    outcomes = fuzz(45, seed=7)
    assert [(one.number, one.kind, one.faults) for one in outcomes if one.faults] == []
    assert {one.kind for one in outcomes} == set(KINDS)
    assert sum(one.status == 2 for one in outcomes) > 10


def test_the_long_run_found_nothing():
    summary = json.loads(SUMMARY.read_text())
    assert summary["cases"] >= 2000
    assert summary["read"] + summary["refused"] == summary["cases"]
    assert summary["cases_with_faults"] == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"status": None, "fault": "abort"}, "abort"),
        ({"status": 1}, "status 1"),
        ({"stderr": "nanogap: internal error, please report it: x\n"}, "internal error"),
        ({"stderr": "nanogap: a\nnanogap: b\n"}, "2 lines on stderr"),
        ({"stderr": "nanogap: \x1b[31mred\n"}, "terminal escape"),
        ({"seconds": 61.0}, "hang"),
        ({"memory": 3 << 30}, "over 2 GB"),
        ({"stderr": "nanogap: a voltage of 5000 is too much\n"}, "number without unit"),
    ],
)
def test_the_judge_sees(change, fault):
    sound = {"status": 2, "stderr": "nanogap: no\n", "stdout": "", "seconds": 1.0, "memory": 1}
    assert judge(sound, set(), set()) == []
    assert fault in judge(sound | change, set(), set())
    assert judge(sound, set(), {"left"}) == ["left behind: ['left']"]
