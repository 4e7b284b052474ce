"""The limits that the page tells are those of the checks."""

from pathlib import Path

from nanogap.transport.fitting import hamiltonian_checks as checks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "your-own-metal.md"


def test_the_limits_of_the_page_are_those_of_the_checks():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    limits = dict(line.strip("| ").split(" | ")[:2] for line in rows if line.count(" | ") == 2)
    assert {name.split()[0]: limit for name, limit in limits.items() if limit[:1].isdigit()} == {
        "occupied": f"{1e3 * checks.OCCUPIED:g} meV",
        "bands": f"{1e3 * checks.NEAR_FERMI_ENERGY:g} meV",
        "T": f"{checks.WIRE:g} G₀",
        "open": f"{100 * checks.SHARVIN:g} %",
        "mean": f"{checks.CALIBRATED:g} G₀",
    }
    assert f"at least {checks.LEAST_OVERLAP:g}" in limits.values()
    assert f"off by {checks.NEIGHBOURS:g}" in limits.values()
    assert checks.WHOLE == 1e-6
    assert "10⁻⁶ G₀" in limits.values()
