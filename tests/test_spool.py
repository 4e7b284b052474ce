"""Order statistics of data in pieces are those of sorting, to the last bit."""

import numpy as np
import pytest

from nanogap import spool
from nanogap.errors import DataFormatError
from nanogap.spool import Spool, median, ordered, quantile


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1001, 20_000])
@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize("most", [1, 10, 10**6])
def test_selection_is_that_of_sorting(count, pieces, most):
    random = np.random.default_rng(count)
    for data in (
        random.normal(size=count),
        random.integers(-2, 3, count).astype(float),
        np.abs(random.normal(size=count)) ** 9 * 1e-12,
    ):

        def parts(data=data):
            return np.array_split(data, pieces)

        places = [count - 1, 0, count // 2]
        assert ordered(parts, places, most) == [np.sort(data)[place] for place in places]
        assert median(parts, count) == np.median(data)
        for level in (0.75, 0.1):
            assert quantile(parts, count, level) == np.quantile(data, level)


def test_a_full_disk_is_told(monkeypatch):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr(spool.tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(DataFormatError, match=r"No space left on device.*TMPDIR"):
        Spool().append(np.zeros(3))
