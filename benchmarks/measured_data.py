"""Speed and memory of the analysis of measured data, as ratios against baselines in the same run.

    python -m benchmarks.measured_data [--points 100000000] [--json]

Four parts: points streamed through the conductance histogram, against `numpy.histogram`; a text
file of a million rows, against numpy's own parser; a synthetic campaign like the paper's through
`nanogap histogram`, against an empty interpreter that imports the same packages; and plateau
detection against the length of the trace.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from nanogap.analysis import ConductanceHistogram
from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.cli.programs import run_main
from nanogap.io import read_measurement
from nanogap.synthetic import write_synthetic
from nanogap.synthetic.signals import plateau_trace

Result = TypeVar("Result")


def timed(call: Callable[[], Result]) -> tuple[float, Result]:
    """Return seconds and result of a call."""
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def stream(points: int) -> dict[str, float]:
    """Stream points through the histogram in chunks of a million, one cycle each."""
    chunk = np.random.default_rng(0).normal(2.0, 1.0, 1_000_000)
    histogram = ConductanceHistogram(0.05, 10.0).compute(chunk[:10], cycle=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rounds = points // len(chunk)
    seconds, _ = timed(lambda: [histogram.add(chunk, cycle=n) for n in range(rounds)])
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    edges = 0.05 * np.arange(201)
    baseline, _ = timed(lambda: [np.histogram(chunk, edges) for _ in range(5)])
    rate = rounds * len(chunk) / seconds
    return {
        "points": rounds * len(chunk),
        "points_per_second": rate,
        "ratio_to_numpy": rate / (5 * len(chunk) / baseline),
        "grown_megabytes": (after - before) / 1024.0,
        "largest_megabytes": after / 1024.0,
    }


def rows_of_text(folder: Path, count: int = 1_000_000) -> dict[str, float]:
    """Read a text file of many rows."""
    path = folder / "rows.csv"
    table = np.stack([np.arange(count), np.sin(np.arange(count)), np.arange(count) * 1e-12], axis=1)
    with path.open("w") as handle:
        handle.write("time (s),voltage (V),current (A)\n")
        np.savetxt(handle, table, fmt="%.6g", delimiter=",")
    seconds, dataset = timed(lambda: read_measurement(path))
    baseline, _ = timed(lambda: np.loadtxt(path, delimiter=",", skiprows=1))
    return {
        "rows": dataset.sizes["point"],
        "seconds": seconds,
        "ratio_to_numpy": baseline / seconds,
    }


def campaign(folder: Path) -> dict[str, object]:
    """Run the whole histogram command on a campaign of 464 000 points."""
    data = folder / "levels"
    write_synthetic(data, "levels")
    command = [
        sys.executable,
        "-c",
        # the child tells its own largest size: that of a fork begins with its parent's
        (
            "import resource, sys; from nanogap.cli.app import main; main(); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        ),
        "histogram",
        str(data),
        "--pristine",
        str(data / "pristine"),
        "--json",
    ]
    seconds, done = timed(lambda: subprocess.run(command, capture_output=True, check=True))
    imports = "import nanogap.campaign, pandas, xarray, numba"
    baseline, _ = timed(lambda: subprocess.run([sys.executable, "-c", imports], check=True))
    content = json.loads(done.stdout)
    return {
        "points": content["n_points"],
        "seconds": seconds,
        "ratio_to_imports": seconds / baseline,
        "largest_megabytes": float(done.stderr.split()[-1]) / 1024.0,
        "peaks": [round(peak["position"], 3) for peak in content["peaks"]],
        "raw_peaks": [round(peak["position"], 3) for peak in content["raw"]["peaks"]],
    }


def plateaus(counts: Sequence[int] = (10_000, 100_000)) -> dict[str, float]:
    """Detect plateaus in traces of growing length."""
    content = {}
    for count in counts:
        random = np.random.default_rng(0)
        lengths = np.full(count // 500, 500)
        trace = plateau_trace(random.integers(1, 5, len(lengths)), lengths, 0.1, random)
        seconds, _ = timed(partial(PlateauDetection().compute, trace))
        content[f"microseconds_per_point_{count}"] = 1e6 * seconds / count
    return content


def main() -> None:
    """Print all results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--points", type=int, default=100_000_000, help="that are streamed, whole millions"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        results: dict[str, Mapping[str, object]] = {
            "campaign": campaign(Path(name)),
            "stream": stream(options.points),
        }
        results["million_rows"] = rows_of_text(Path(name))
    results["plateaus"] = plateaus()
    if options.json:
        print(json.dumps(results))
        return
    for part, values in results.items():
        print(part)
        for key, value in values.items():
            print(f"  {key}: {value:.4g}" if isinstance(value, float) else f"  {key}: {value}")


if __name__ == "__main__":
    run_main(main)
