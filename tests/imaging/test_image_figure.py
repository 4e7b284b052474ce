"""Scale bars and the numbers beside curves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from nanogap.imaging.figure import apart, length_text, round_length, scale_bar


@given(longest=st.floats(1e-3, 1e5))
def test_the_scale_bar_is_round_and_not_much_shorter_than_it_may_be(longest):
    length = round_length(longest)
    assert 0.39 * longest <= length <= longest * (1.0 + 1e-9)
    assert f"{length:.0e}"[0] in "125"
    assert length_text(length).split()[0] in {
        f"{digit}{zeros}" for digit in "125" for zeros in ("", "0", "00")
    } | {f"0.0{digit}" for digit in "125"} | {f"0.{digit}" for digit in "125"}


def test_the_scale_bar_has_the_length_of_its_label():
    axes = Figure().subplots()
    axes.set_xlim(0.0, 37.0)
    scale_bar(axes, (0.0, 37.0, 0.0, 20.0))
    assert axes.patches[-1].get_width() == 10.0
    assert axes.texts[0].get_text() == "10 nm"
    assert axes.patches[-1].get_x() + 10.0 < 37.0


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=8))
def test_no_number_lies_on_another(points):
    found = apart([np.array(one) for one in points])
    for place, (x, y) in enumerate(found):
        for a, b in found[:place]:
            assert abs(x - a) > 0.07 or abs(y - b) > 0.07
