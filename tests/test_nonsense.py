"""Nonsense at every argument of every public function: one line of nanogap's own, or it fits.

The rest of the arguments is valid, so that nothing else can be what is refused. What would start
an engine or a run says so instead.
"""

import inspect

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import nanogap as ng
from nanogap.analysis.traces.histogram import ConductanceHistogram
from nanogap.io import measurement_dataset

NONSENSE = {
    "None": None,
    "five": 5,
    "minus": -1.5,
    "text": "high",
    "empty text": "",
    "lines": "a\nb\0",
    "list": [],
    "dict": {},
    "nested": {"voltage": {"applied": "a\nb"}},
    "keys": {5: None},
    "nan": float("nan"),
    "inf": float("inf"),
    "huge": 10**400,
    "truth": True,
    "complex": 1j,
    "bytes": b"x",
    "array": np.array([["a"]]),
    "mixed": ["a", None],
    "long": "x" * 5000,
    "object": object(),
}
TIPS = ng.build_tips("quick", lattice_constant=4.216)
TRACE = 2.5 + 0.01 * np.random.default_rng(0).normal(size=256)
VOLTS = np.concatenate([np.linspace(0.0, 1.0, 50), np.linspace(1.0, 0.0, 50)])
LOOP = measurement_dataset(
    time=np.arange(100.0), voltage=VOLTS, current=VOLTS / np.where(np.arange(100) < 30, 1e6, 1e3)
)
SWEEP = np.linspace(0.0, 1.0, 101)
WIRE = measurement_dataset(
    time=np.arange(101.0), voltage=SWEEP, current=SWEEP / np.where(SWEEP < 0.805, 500.0, 1e8)
)
CHAIN = Atoms("Ag5", positions=[(0.0, 0.0, 2.9 * n) for n in range(5)])
CHAIN.new_array("region", np.array(["left", *3 * ["channel"], "right"]))
CHAIN.info.update(left_period=2.9, right_period=2.9)
SILVER = bulk("Ag", a=4.09)

#: Small needles in vacuum before a quick sweep.
DEVICE = {
    "geometry": {"base_width": 12.0, "height": 5.0, "apex_width": 6.0, "margin": 4.0}
    | {"upper_apex_width": "same", "fixed_layers": 1},
    "medium": {"name": "vacuum"},
    "conductance": {"kpoints": 1, "cell_widths": [3], "relaxation_steps": 0, "cache": "none"},
    "protocol": {"kind": "voltage-sweep", "turning_points": [0.0, 0.1], "rate": 1.0},
}
DEVICE_SECTIONS = ("geometry", "atoms", "medium", "kinetics", "heat", "conductance", "circuit")
DEVICE_SECTIONS += ("source", "devices")

SECTIONS = ("structure", "dynamics", "voltage", "junction", "transport")

CALLS = {
    "Device": {"settings": DEVICE, "necks": None},
    "DeviceRun": {"path": "nowhere"},
    "DeviceSettings": {key: {} for key in DEVICE_SECTIONS}
    | {"name": "x", "seed": 1, "preparation": {"kind": "none"}, "protocol": DEVICE["protocol"]},
    "Run": {"directory": "nowhere"},
    "Settings": {key: {} for key in SECTIONS} | {"name": "x", "seed": 1},
    "Simulation": {"tips": TIPS, "settings": "quick"}
    | dict.fromkeys(("folder", "seed", "schedule", "interaction")),
    "bands": {"atoms": SILVER, "path": None, "n_points": 3, "model": None},
    "breakdown": {"data": WIRE, "minimum_drop": 0.5},
    "build_tips": {"settings": "quick", "gap": 8.3, "lattice_constant": 4.216},
    "compute_transmission": {"structures": CHAIN, "energies": 0.0, "backend": "tight-binding"}
    | {"kpoints": None, "gamma_centred": False, "cut": "paper", "model": None, "names": None}
    | {"neutrality": "none"},
    "cut_junction": {"snapshot": TIPS, "settings": None, "cutoff": None, "name": "x", "axis": None},
    "fermi_energy": {"atoms": SILVER, "kpoints_density": 2.0, "model": None},
    "histogram": {"data": TRACE, "bin_width": 0.05, "maximum": 10.0, "scale": "linear"}
    | {"minimum": 1e-6, "series_resistance": 0.0},
    "load_device_settings": {"source": "device-quick", "overrides": {}},
    "load_model": {"element": "Ag"},
    "load_settings": {"source": "quick", "overrides": {}},
    "noise": {"data": TRACE, "interval": 0.01, "band": None, "series_resistance": 0.0},
    "open_device": {"path": "nowhere"},
    "open_run": {"path": "nowhere"},
    "plateaus": {"data": TRACE, "minimum_length": 8, "minimum_step": 0.0, "strictness": 1.0}
    | {"series_resistance": 0.0},
    "plot": {"result": None},
    "preset_names": {"family": "run"},
    "read_measurement": {"path": "sweep.csv", "columns": None, "clock": None},
    "read_measurements": {"paths": "sweep.csv", "columns": None},
    "resume": {"directory": "nowhere", "progress": None},
    "resume_device": {"directory": "nowhere", "progress": None, "processes": 1},
    "retention": {"data": TRACE, "time": np.arange(1.0, 257.0), "tolerance": 2.0}
    | {"series_resistance": 0.0},
    "run": {"source": "quick", "directory": "nowhere", "progress": None},
    "run_device": {"source": DEVICE, "directory": "nowhere", "progress": None, "processes": 1},
    "switching": {"data": LOOP, "read_voltage": 0.4, "minimum_ratio": 3.0, "method": "steepest"}
    | {"compliance": None},
}
#: What is no nonsense there, besides numbers for numbers and None where that is the default.
WELCOME = {
    **{("DeviceSettings", key): {"dict"} for key in DEVICE_SECTIONS},
    ("Device", "settings"): {"None", "dict"},
    ("DeviceSettings", "name"): {"text"},
    ("load_device_settings", "source"): {"None", "dict"},
    ("load_device_settings", "overrides"): {"list", "dict"},
    **{("Settings", key): {"dict"} for key in SECTIONS},
    ("Settings", "name"): {"text"},
    ("Simulation", "settings"): {"dict"},
    ("build_tips", "settings"): {"None", "dict"},
    ("compute_transmission", "names"): {"text", "empty text", "lines", "long"},
    ("compute_transmission", "energies"): {"truth"},
    ("cut_junction", "name"): {"text", "empty text", "lines", "long"},
    ("histogram", "maximum"): {"None"},
    ("load_settings", "source"): {"None", "dict"},
    ("load_settings", "overrides"): {"list", "dict"},
    ("read_measurement", "columns"): {"dict"},
    ("read_measurements", "columns"): {"dict"},
}


@pytest.fixture(autouse=True)
def _quiet_place(tmp_path, monkeypatch):
    """An empty folder but for one file of data; engines and runs do not start."""
    (tmp_path / "sweep.csv").write_text("Voltage (V),Current (uA)\n0.1,7.75\n0.2,15.5\n")
    monkeypatch.chdir(tmp_path)

    def refuse(*_, **__):
        raise ng.EngineError("it would start")

    monkeypatch.setattr("nanogap.dynamics.simulation.open_engine", refuse)
    monkeypatch.setattr("nanogap.runs.notebook.start_run", refuse)
    monkeypatch.setattr("nanogap.runs.device_notebook.start_device", refuse)
    monkeypatch.setattr("nanogap.device.device.LatticeKMC", refuse)


def answer(function, **arguments):
    """Sentence with which a call is refused; None if it is not; errors of others pass."""
    try:
        function(**arguments)
    except ng.NanogapError as error:
        return str(error)
    return None


def fits(function, argument, kind):
    """Whether a function may take a value of the table without a word."""
    valid, value = CALLS[function][argument], NONSENSE[kind]
    if kind in WELCOME.get((function, argument), ()):
        return True
    parameter = inspect.signature(getattr(ng, function)).parameters.get(argument)
    if value is None:
        return parameter is None or parameter.default is None
    number = isinstance(valid, int | float) and not isinstance(valid, bool)
    optional = valid is None and "float" in str(parameter.annotation)
    truth = isinstance(valid, bool) and kind == "truth"
    return truth or ((number or optional) and kind in {"five", "minus"})


@pytest.mark.parametrize(
    ("function", "argument"), [(name, one) for name, given in CALLS.items() for one in given]
)
def test_nonsense_gets_one_sentence_of_our_own(function, argument):
    for kind, value in NONSENSE.items():
        sentence = answer(getattr(ng, function), **{**CALLS[function], argument: value})
        if sentence is None:
            assert fits(function, argument, kind), kind
        else:
            assert sentence.strip(), kind
            assert len(sentence.splitlines()) == 1, kind
            assert len(sentence) < 600, kind


def test_every_public_function_and_argument_is_tried():
    offered = {
        name: getattr(ng, name)
        for name in dir(ng)
        if name != "__version__" and not issubclass_of_exception(getattr(ng, name))
    }
    assert offered.keys() == CALLS.keys()
    for name, one in offered.items():
        kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        parameters = inspect.signature(one).parameters
        named = {key for key, value in parameters.items() if value.kind not in kinds}
        assert named <= CALLS[name].keys(), name


@pytest.fixture(scope="module")
def read_device():
    """A device with one reading, made before anything is refused."""
    device = ng.Device(DEVICE)
    device.apply(0.01, 0.02)
    return device


METHODS = {
    "apply": {"level": 0.1, "duration": 0.02, "quantity": "voltage", "compliance": "none"}
    | {"cycle": None, "read": False},
    "measure": {"protocol": None, "progress": None},
}


@pytest.mark.parametrize(
    ("method", "argument"), [(name, one) for name, given in METHODS.items() for one in given]
)
def test_nonsense_at_methods_of_a_device(read_device, method, argument):
    call = getattr(read_device, method)
    assert inspect.signature(call).parameters.keys() == METHODS[method].keys()
    for kind, value in NONSENSE.items():
        if value is None and METHODS[method][argument] is None:
            continue  # the default, which would measure
        sentence = answer(call, **{**METHODS[method], argument: value})
        if sentence is None:
            # -1.5 V is a level, 5 s a duration, True a way to read, infinity no compliance
            assert kind in {"five", "minus", "truth"} or (argument, kind) == ("compliance", "inf")
        else:
            assert len(sentence.splitlines()) == 1, kind
            assert len(sentence) < 600, kind


def issubclass_of_exception(one):
    return isinstance(one, type) and issubclass(one, Exception)


@pytest.mark.parametrize("value", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_at_methods_of_results(value):
    counted = ConductanceHistogram().compute([1.0, 2.0, 1.0, 2.0], cycle=[0, 0, 1, 1])
    for argument in inspect.signature(counted.band).parameters:
        sentence = answer(counted.band, **{argument: value})
        assert sentence is None or len(sentence.splitlines()) == 1


def test_a_wrong_number_of_arguments_is_left_to_python():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        ng.histogram()
    with pytest.raises(TypeError, match="unexpected keyword argument 'bins'"):
        ng.histogram([1.0], bins=5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: ng.Settings(voltage="high"),
            (
                "Settings: voltage = 'high': must be a table; section [voltage] knows applied, "
                "mode, cutoff, update_interval, diffusion, normalisation, relaxation_steps"
            ),
        ),
        (
            lambda: ng.Settings(voltage={"applied": 300}),
            "Settings: voltage.applied = 300: must be a number from -100 to 100",
        ),
        (
            lambda: ng.Settings.model_validate({"seed": -1}),
            "Settings: seed = -1: must be a whole number from 0 to 9223372036854775807",
        ),
        (
            lambda: ng.Settings("quick"),
            (
                "Settings takes its keys by name, name, seed, structure, dynamics, voltage, "
                "junction, transport, and not 'quick': load_settings takes a preset, a file or "
                "a dict"
            ),
        ),
        (
            lambda: ng.histogram([1.0], bin_width="wide"),
            "histogram: bin_width = 'wide': give a number or None",
        ),
        (
            lambda: ng.histogram([1.0], scale="log"),
            "histogram: scale = 'log': give 'linear' or 'logarithmic'",
        ),
        (lambda: ng.noise([1.0], band=5), "noise: band = 5: give two numbers or None"),
        (
            lambda: ng.DeviceSettings("device-quick"),
            (
                "DeviceSettings takes its keys by name, name, seed, geometry, atoms, medium, "
                "kinetics, heat, conductance, circuit, source, preparation, protocol, devices, and "
                "not 'device-quick': load_device_settings takes a preset, a file or a dict"
            ),
        ),
        (
            lambda: ng.DeviceSettings(protocol=5),
            (
                "DeviceSettings: protocol = 5: must be a table; section [protocol] needs the key "
                "kind, 'voltage-sweep' or 'current-sweep' or 'staircase' or 'pulses' or "
                "'constant-read' or 'endurance' or 'program-to-level' or "
                "'forming' or 'breakdown-sweep' or 'waveform'"
            ),
        ),
        (lambda: ng.Run("nowhere"), "no run directory nowhere: 'nanogap run' makes one"),
        (lambda: ng.open_run(5), "open_run: path = 5: give a path"),
        (
            lambda: ng.load_settings("quick", 5),
            "load_settings: overrides = 5: give texts in a list or a dict with text as keys",
        ),
        (
            lambda: ng.load_settings("quick", {5: 1}),
            "load_settings: overrides = {5: 1}: give texts in a list or a dict with text as keys",
        ),
        (
            lambda: ng.run({"voltage": {"applied": "high"}}, "new"),
            "settings: voltage.applied = 'high': must be a number from -100 to 100",
        ),
        (
            lambda: ng.load_model("nowhere.toml"),
            (
                "nowhere.toml is no Hamiltonian that 'nanogap fit-hamiltonian' made: there is "
                "no such file"
            ),
        ),
        (
            lambda: ng.compute_transmission(CHAIN, 1j),
            (
                "energies = 1j: give one finite number or a list of them, in eV from the Fermi "
                "energy, for example numpy.linspace(-1, 1, 21)"
            ),
        ),
        (
            lambda: ng.cut_junction(TIPS, cutoff=-1),
            "VoltageSettings: cutoff = -1.0: must be a number above 2, up to 10",
        ),
        (
            lambda: ng.cut_junction(TIPS, axis=0.0),
            "axis = 0.0: give two finite numbers, x and y in Å",
        ),
    ],
)
def test_what_a_new_user_tries_first(call, sentence):
    with pytest.raises(ng.NanogapError) as caught:
        call()
    assert str(caught.value) == sentence


def test_a_mapping_is_settings_of_a_run_as_in_a_file(monkeypatch):
    started = []
    monkeypatch.setattr(
        "nanogap.runs.notebook.start_run",
        lambda _, settings, name, __: started.append((settings.voltage.applied, name)) or ".",
    )
    with pytest.raises(ng.DataFormatError):  # the folder that the start gave is no run
        ng.run({"voltage": {"applied": 2.0}}, "new")
    assert started == [(2.0, "settings in Python")]


def test_columns_are_chosen_by_number_as_numbers_too():
    data = ng.read_measurement("sweep.csv", columns={"current": 2, "voltage": 1})
    assert data["current"].to_numpy().tolist() == pytest.approx([7.75e-6, 15.5e-6])
