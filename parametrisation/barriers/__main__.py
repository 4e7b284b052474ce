"""Commands of the package."""

import argparse
import time
from pathlib import Path

from nanogap.cli.programs import run_main
from nanogap.dynamics.embedded_functions import load_functions
from parametrisation.barriers.bands import (
    Bands,
    compute_rows,
    gather,
    join,
    read_bands,
    write_bands,
)
from parametrisation.barriers.figure import draw
from parametrisation.barriers.results import Results, evaluate_bands, show, write_energetics


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(
        prog="python -m parametrisation.barriers",
        description="Barriers of hops from the embedded-atom method: compute bands, fit, draw.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    bands = commands.add_parser("bands", help="compute bands of generated hops")
    bands.add_argument("element", help="Ag, Au or Cu")
    bands.add_argument("-n", type=int, default=4000, help="hops tried (default 4000)")
    bands.add_argument("--seed", type=int, default=1, help="of the environments (default 1)")
    bands.add_argument("-o", "--output", type=Path, required=True, help="file of the bands, .npz")
    several = commands.add_parser("join", help="join the bands of several seeds")
    several.add_argument("bands", type=Path, nargs="+", help="files of bands, .npz")
    several.add_argument("-o", "--output", type=Path, required=True, help="file of all, .npz")
    for name, text in (("fit", "fit the energetics, .json"), ("figure", "draw the fit, .png")):
        command = commands.add_parser(name, help=text)
        command.add_argument("element", help="Ag, Au or Cu")
        command.add_argument("bands", type=Path, help="file of the bands, .npz")
        command.add_argument("-o", "--output", type=Path, required=True, help="file to write")
    arguments = parser.parse_args()
    if arguments.command == "bands":
        compute(arguments.element, arguments.n, arguments.seed, arguments.output)
        return
    if arguments.command == "join":
        write_bands(arguments.output, join([read_bands(path) for path in arguments.bands]))
        return
    found, results = _fitted(arguments.element, arguments.bands)
    if arguments.command == "fit":
        show(found, results)
        write_energetics(arguments.output, arguments.element, results)
    else:
        draw(found, results, arguments.output)


def _fitted(element: str, path: Path) -> tuple[Bands, Results]:
    """Read bands and fit them."""
    found = read_bands(path)
    return found, evaluate_bands(found, load_functions(element))


def compute(element: str, number: int, seed: int, output: Path) -> None:
    """Compute the bands of hops tried, and write them now and then."""
    rows = []
    start = time.process_time()
    for row in compute_rows(load_functions(element), seed):
        rows.append(row)
        if len(rows) % 250 == 0 or len(rows) == number:
            write_bands(output, gather(rows))
            found = sum(barrier.outcome == "ok" for _, _, barrier in rows)
            seconds = time.process_time() - start
            print(f"{len(rows)} hops tried, {found} barriers, {seconds:.0f} CPU s", flush=True)
        if len(rows) == number:
            return


if __name__ == "__main__":
    run_main(main)
