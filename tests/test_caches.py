"""Libraries get a temporary place where the usual ones are closed."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from nanogap.caches import can_write

PROBE = """
import os
from pathlib import Path
import nanogap.caches as caches

assert not caches.compiles_anew()
for name in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR"):
    os.environ.pop(name, None)
os.access = lambda *_: False  # no place of the user's can be written
caches.choose_caches()
print(os.environ["NUMBA_CACHE_DIR"], os.environ["MPLCONFIGDIR"])
print(caches.compiles_anew())
print(oct(Path(os.environ["NUMBA_CACHE_DIR"]).stat().st_mode))
"""


def test_closed_places_are_replaced_by_one_that_ends_with_the_process():
    found = subprocess.run(
        [sys.executable, "-c", PROBE], stdout=subprocess.PIPE, text=True, check=True
    )
    places, compiles, mode = found.stdout.splitlines()
    assert compiles == "True"  # and transmission says why it is slow
    first, second = places.split()
    assert first == second
    assert stat.S_IMODE(int(mode, 8)) == 0o700  # what numba stores is code
    assert not Path(first).exists()


def test_a_folder_that_can_be_made_can_be_written(tmp_path):
    assert can_write(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    assert not can_write(tmp_path / "file")
    assert not can_write(Path(os.devnull) / "x")
