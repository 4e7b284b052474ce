"""Damaged and hostile input to the command line: every case must end in a result or one sentence.

Makes sound files of every kind, damages them at random, and runs a command on each. Judges what
comes out: exit status 0 or 2, one line on stderr with a refusal, no internal error, no abort, no
file left behind after a refusal, at most 60 s of the processor and 2 GB, and no physical quantity
without its unit in a refusal. Cases run in one process after the other, which is replaced when it
dies. docs/formats.md quotes docs/data/fuzz.json; the suite runs some tens of cases. Two thousand:

    OMP_NUM_THREADS=1 python -m validation.fuzz --count 2000 --seed 1 -o docs/data/fuzz.json
"""

import argparse
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nanogap.cli.programs import run_main
from validation import fuzz_inputs

#: Limits of one case: seconds and bytes.
PATIENCE, MEMORY = 60.0, 2 << 30
SERVER = [sys.executable, "-c", "from validation.fuzz_server import main; main()"]
_QUANTITY = re.compile(
    r"\b(voltage|current|temperature|resistance|time step|energy) of [-+\d.e]++"
    r"(?! ?(?:[afpnuµmkMG]?(?:V|A|K|s|S|eV|ohm|Ω|Ohm)\b|°C|G0|%))"
)


@dataclass(frozen=True)
class Outcome:
    """What a case came to.

    Attributes
    ----------
    number : int
        Of the case; with the seed it makes the same case again.
    kind : str
        Of the input.
    arguments : list of str
        Of the command line.
    status : int or None
        Exit status; None if the process died or hung.
    seconds : float
        Processor time.
    memory : int
        Bytes at the most.
    faults : list of str
        What is wrong with it; empty if nothing is.
    """

    number: int
    kind: str
    arguments: list[str]
    status: int | None
    seconds: float
    memory: int
    faults: list[str]


@dataclass
class Server:
    """A process that runs the command line again and again."""

    process: "subprocess.Popen[bytes] | None" = None

    def run(self, arguments: Sequence[str], folder: Path) -> dict[str, object]:
        """Run one command; the answer has the status None if the process died or hung."""
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        assert self.process.stdin is not None  # noqa: S101 - both are pipes
        assert self.process.stdout is not None  # noqa: S101
        request = json.dumps({"arguments": list(arguments), "folder": str(folder)})
        begun = time.monotonic()
        self.process.stdin.write(request.encode() + b"\n")
        self.process.stdin.flush()
        # on a busy machine a command waits for the processor, too
        ready, _, _ = select.select([self.process.stdout], [], [], 3.0 * PATIENCE)
        line = self.process.stdout.readline() if ready else b""
        if line:
            answer: dict[str, object] = json.loads(line)
            return answer
        fault = "abort" if ready else f"hang: over {PATIENCE:g} s"
        self.end()
        return {"status": None, "fault": fault, "seconds": time.monotonic() - begun, "memory": 0}

    def end(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
            self.process = None


def judge(answer: dict[str, object], before: set[str], after: set[str]) -> list[str]:
    """List what is wrong with the end of a command."""
    if answer["status"] is None:
        return [str(answer["fault"])]
    status, errors = answer["status"], str(answer["stderr"])
    lines = [one for one in errors.splitlines() if one.strip()]
    told = [one for one in lines if not one.startswith(("passed over:", "Note:"))]
    sentence = len(told) == 1 and told[0].startswith("nanogap: ")
    checks = {
        f"status {status}": status not in {0, 2},
        "internal error": "internal error" in errors or "Traceback" in errors,
        f"{len(told)} lines on stderr": status == 2 and not sentence,
        "warning of a library": any("Warning" in one for one in lines),
        "terminal escape": "\x1b" in errors + str(answer["stdout"]),
        f"left behind: {sorted(after - before)[:3]}": status != 0 and after != before,
        "hang": float(str(answer["seconds"])) > PATIENCE,
        "over 2 GB": int(str(answer["memory"])) > MEMORY,
        "number without unit": bool(_QUANTITY.search(errors)),
    }
    return [fault for fault, found in checks.items() if found]


def listing(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def fuzz(
    count: int,
    seed: int,
    kinds: Sequence[str] = tuple(fuzz_inputs.KINDS),
    tell: Callable[[Outcome], object] | None = None,
    only: int | None = None,
) -> list[Outcome]:
    """Run so many cases.

    Parameters
    ----------
    count, seed : int
        How many, and the seed of all random numbers.
    kinds : sequence of str
        Which of `fuzz_inputs.KINDS`.
    tell : callable, optional
        Gets every outcome.
    only : int, optional
        Run this case alone.
    """
    server, outcomes = Server(), []
    try:
        for number in range(count) if only is None else [only]:
            random = np.random.default_rng([seed, number])
            kind = str(kinds[number % len(kinds)])
            folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
            try:
                arguments = fuzz_inputs.KINDS[kind](folder, random)
                before = listing(folder)
                answer = server.run(arguments, folder)
                faults = judge(answer, before, listing(folder))
                if faults and only is not None:
                    print(answer)  # one case is looked into
                status = answer["status"]
                outcome = Outcome(
                    number,
                    kind,
                    arguments,
                    None if status is None else int(str(status)),
                    round(float(str(answer["seconds"])), 2),
                    int(str(answer["memory"])),
                    faults,
                )
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            outcomes.append(outcome)
            if tell is not None:
                tell(outcome)
    finally:
        server.end()
    return outcomes


def summary(outcomes: Sequence[Outcome], seed: int) -> dict[str, object]:
    """Count outcomes by kind and fault."""
    kinds = Counter(one.kind for one in outcomes)
    return {
        "made_with": "python -m validation.fuzz",
        "seed": seed,
        "cases": len(outcomes),
        "read": sum(one.status == 0 for one in outcomes),
        "refused": sum(one.status == 2 for one in outcomes),
        "kinds": dict(sorted(kinds.items())),
        "faults": dict(Counter(fault.split(":")[0] for one in outcomes for fault in one.faults)),
        "longest": {"value": max(one.seconds for one in outcomes), "unit": "s"},
        "largest": {"value": max(one.memory for one in outcomes) / 1e9, "unit": "GB"},
        "cases_with_faults": [asdict(one) for one in outcomes if one.faults],
    }


def main() -> int:
    """Run the fuzzer; the exit status is 1 if there are faults."""
    parser = argparse.ArgumentParser(description="damaged and hostile input to the command line")
    parser.add_argument("--count", type=int, default=200, help="cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=sorted(fuzz_inputs.KINDS))
    parser.add_argument("--only", type=int, help="run this case alone and show its output")
    parser.add_argument("-o", "--output", type=Path, help="summary (json)")
    given = parser.parse_args()

    def tell(outcome: Outcome) -> None:
        if outcome.faults:
            shown = " ".join(outcome.arguments)
            print(f"{outcome.number} {outcome.kind}: {outcome.faults}: nanogap {shown}", flush=True)

    kinds = given.kind or list(fuzz_inputs.KINDS)
    outcomes = fuzz(given.count, given.seed, kinds, tell, given.only)
    content = summary(outcomes, given.seed)
    if given.output:
        given.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print({key: value for key, value in content.items() if key != "cases_with_faults"})
    return int(bool(content["cases_with_faults"]))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    run_main(main)
