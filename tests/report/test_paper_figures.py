"""What the figures of the paper draw: numbers, structures and curves of runs made by hand."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from tests.runs.hand_made import STORY, TRANSMISSIONS, whole_run

from nanogap.errors import DataFormatError
from nanogap.report.film import need_movie_path
from nanogap.report.movie import chosen_pictures, write_movie
from nanogap.report.paper_figures import PAPER_FIGURES
from nanogap.report.style import house_style
from nanogap.runs.trajectory import trajectory_of

SPECTRUM = np.linspace(-1.0, 1.0, 5)


def spectra(numbers):
    values = np.array([[number + energy for energy in SPECTRUM] for number in numbers])
    return xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), values)},
        coords={"snapshot": list(numbers), "energy": SPECTRUM},
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    one = trajectory_of(whole_run(path, voltage={"applied": 8.0}))
    return replace(one, spectra=spectra)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "open"
    return trajectory_of(whole_run(path, (0.002, 0.03), STORY[:2], voltage={"applied": 2.0}))


def drawn(name, *trajectories):
    with house_style():
        return PAPER_FIGURES[name].draw(trajectories)


def words(figure):
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    titles = [axes.get_title(loc="center") for axes in figure.axes]
    return texts, titles


def column(made, name):
    place = made.columns.index(name)
    return [row[place] for row in made.rows]


def test_1i_shows_the_start_and_every_stage_in_order_of_time(whole):
    made = drawn("1i", whole)
    assert column(made, "name") == ["start", "islands", "contact", "lateral growth"]
    assert column(made, "snapshot") == [0, 1, 2, 3]
    texts, titles = words(made.figure)
    assert [text for text in texts if text.isdecimal()] == ["1", "2", "3", "4"]
    assert [title.split(",")[0] for title in titles] == column(made, "name")


def test_1i_of_an_open_gap_says_that_there_is_no_contact(opened):
    made = drawn("1i", opened)
    assert column(made, "name") == ["start", "islands"]
    assert "no contact" in made.figure.get_suptitle()


def test_3b_has_every_point_of_the_trace_and_the_numbers_of_the_structures(whole):
    made = drawn("3b", whole)
    assert column(made, "transmission_G0") == list(TRANSMISSIONS)
    assert column(made, "structure") == [1, 2, 3, 4, None, None]
    assert column(made, "stage")[2:5] == ["contact", "lateral growth", "rupture"]
    assert column(made, "time_ps") == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    (line,) = [one for one in made.figure.axes[0].lines if len(one.get_xdata()) == len(made.rows)]
    assert line.get_ydata().tolist() == list(TRANSMISSIONS)


@pytest.mark.parametrize("name", ["3c", "3bc"])
def test_structures_are_drawn_with_their_numbers_and_transmissions(whole, name):
    made = drawn(name, whole)
    texts, titles = words(made.figure)
    # 3bc has the numbers in the trace too
    assert sorted(text for text in texts if text.isdecimal()) == sorted(
        "1234" * (1 + len(name) // 3)
    )
    shown = [title.split("\n")[0] for title in titles if title.startswith("T ")]
    assert shown == ["T = 0.002", "T = 0.03", "T = 0.94", "T = 2.1"]


def test_3bc_of_an_open_gap_has_its_two_structures(opened):
    made = drawn("3bc", opened)
    assert column(made, "structure") == [1, 2]


def test_a_long_trace_shows_the_contact_once_more(whole):
    time = whole.result.time.copy()
    time[0] = -1000.0
    made = drawn("3b", replace(whole, result=replace(whole.result, time=time)))
    texts = [[text.get_text() for text in axes.texts] for axes in made.figure.axes]
    assert texts == [["1", "2"], ["3", "4"]]


def test_3d_to_f_are_the_spectra_of_the_structures_in_contact(whole):
    made = drawn("3d-f", whole)
    assert made.columns == (
        "energy_eV",
        "transmission_of_structure_3_G0",
        "transmission_of_structure_4_G0",
    )
    assert column(made, "transmission_of_structure_4_G0") == [3.0 + e for e in SPECTRUM]
    assert len(made.figure.axes) == 2


def test_3d_to_f_need_a_contact_and_a_run_directory(whole, opened):
    with pytest.raises(DataFormatError, match="no contact so far"):
        drawn("3d-f", opened)
    with pytest.raises(DataFormatError, match="run_directories"):
        drawn("3d-f", replace(whole, spectra=None))


def test_4c_shows_every_contact_of_one_run_and_one_of_each_of_several(whole, opened):
    made = drawn("4c", whole)
    assert column(made, "snapshot") == [2, 5]
    assert column(made, "transmission_G0") == [0.94, 0.88]
    assert "T = 0.91 ± 0.042" in made.figure.get_suptitle()
    other = replace(whole, name="other")
    made = drawn("4c", whole, other, opened)
    assert column(made, "trajectory") == [whole.name, "other"]
    assert column(made, "snapshot") == [2, 2]
    assert "2 single-atom contacts of 3 runs" in made.figure.get_suptitle()


def test_4c_without_a_contact_says_how_many_runs_there_were(opened):
    with pytest.raises(DataFormatError, match="0 of 2 runs came to a contact"):
        drawn("4c", opened, opened)


@pytest.mark.parametrize("name", ["5c", "5cd"])
def test_5c_numbers_the_points_whose_atoms_5d_draws(whole, name):
    made, pictures = drawn(name, whole), drawn("5d", whole)
    assert [n for n in column(made, "structure") if n] == [1, 2, 3, 4]
    places = [number is not None for number in column(made, "structure")]
    assert column(pictures, "snapshot") == np.flatnonzero(places).tolist()


def test_5c_of_a_wide_plateau_has_numbers_on_its_axis(whole):
    """From 10.6 to 11.6 G0 no multiple of the 2 G0 between lines lies."""
    transmission = 11.1 + 0.05 * np.sin(np.arange(len(TRANSMISSIONS)))
    transmission[-1] = np.nan
    made = drawn("5c", replace(whole, result=replace(whole.result, transmission=transmission)))
    (axes,) = made.figure.axes
    low, high = axes.get_ylim()
    assert sum(low <= tick <= high for tick in axes.get_yticks()) >= 3
    samples = len(TRANSMISSIONS)
    assert axes.get_title("left").endswith(f"{samples - 1} of {samples} known")


def test_s3_has_a_curve_of_every_run_in_the_colour_of_its_voltage(whole, opened):
    made = drawn("S3", whole, opened, replace(whole, name="other"))
    assert set(column(made, "run")) == {whole.name, opened.name, "other"}
    labels = [text.get_text() for text in made.figure.axes[0].get_legend().get_texts()]
    assert labels == ["2 V (1 run)", "8 V (2 runs)"]
    curves = [one for one in made.figure.axes[2].lines if len(one.get_xdata()) in (2, 6)]
    assert [len(one.get_xdata()) for one in curves[:3]] == [2, 6, 6]
    assert curves[0].get_color() != curves[1].get_color() == curves[2].get_color()


def test_of_several_runs_the_one_in_contact_is_shown(whole, opened):
    assert len(drawn("3b", opened, whole).rows) == len(TRANSMISSIONS)


@pytest.mark.parametrize("name", ["3b", "3c", "3bc", "3d-f", "4c", "5c", "5d", "5cd"])
def test_without_a_transmission_the_message_says_so(tmp_path, name):
    one = trajectory_of(whole_run(tmp_path / "run", ()))
    with pytest.raises(DataFormatError, match=r"no snapshot has a transmission|no single-atom"):
        drawn(name, one)


def test_without_atoms_the_message_says_how_to_keep_them(whole):
    one = replace(whole, there=np.zeros(len(TRANSMISSIONS), dtype=bool))
    with pytest.raises(DataFormatError, match=r"keep\.trajectories"):
        drawn("1i", one)


def test_a_film_has_a_picture_of_every_snapshot_and_its_last_one_stays(whole, tmp_path):
    from PIL import Image

    path, seen = tmp_path / "film.gif", []
    count = write_movie(whole, path, rate=10.0, watch=lambda done, of: seen.append((done, of)))
    with Image.open(path) as film:
        assert film.n_frames == count == len(TRANSMISSIONS)
        film.seek(film.n_frames - 1)
        assert film.info["duration"] == 1600
    assert seen[-1] == (6, 6)
    assert [one.name for one in tmp_path.iterdir()] == ["film.gif"]


def test_a_film_of_few_pictures_shows_the_first_contact(whole):
    assert chosen_pictures(whole, 3).tolist() == [0, 2, 5]
    assert chosen_pictures(whole, 100).tolist() == [0, 1, 2, 3, 4, 5]


def test_an_interrupted_film_leaves_nothing(whole, tmp_path):
    def stop(done, _of):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_movie(whole, tmp_path / "film.gif", watch=stop)
    assert not list(tmp_path.iterdir())


def test_mp4_without_ffmpeg_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Exception, match="ffmpeg, which is not installed"):
        need_movie_path(tmp_path / "film.mp4")


FFMPEG = """#!{python}
import sys
data = sys.stdin.buffer.read()
if {fails}:
    sys.exit("the disk is slow\\nand full")
open(sys.argv[-1], "wb").write(str(len(data)).encode())
"""


def programs(folder, fails):
    import sys

    program = folder / "ffmpeg"
    program.write_text(FFMPEG.format(python=sys.executable, fails=fails))
    program.chmod(0o755)
    return str(folder)


def test_mp4_gives_every_picture_to_ffmpeg(whole, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", fails=False))
    write_movie(whole, tmp_path / "film.mp4")
    assert int((tmp_path / "film.mp4").read_bytes()) == 6 * 960 * 480 * 3


def test_what_ffmpeg_complains_of_is_told(whole, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", fails=True))
    with pytest.raises(Exception, match="ffmpeg cannot write the film: the disk is slow and full"):
        write_movie(whole, tmp_path / "film.mp4")
    assert not (tmp_path / "film.mp4").exists()
