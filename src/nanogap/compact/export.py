"""A fitted model as circuit and network simulators read it.

Coordinates of the fit are drawn as mean + L z of standard normal deviates z, one for each; z is a
parameter of every instance, 0 for the typical device, so that any simulator's own Monte Carlo can
set them, with the correlations of the fit. The state is the voltage of a node with a capacitor of
1 F, and nothing else is remembered.
"""

import re
from collections.abc import Callable
from dataclasses import asdict

from nanogap import __version__
from nanogap.compact.equations import Equations, equations_of
from nanogap.compact.file import FittedModel
from nanogap.compact.kernels import HIGHEST_EXPONENT
from nanogap.compact.population import square_root
from nanogap.compact.potentiation import PotentiationDepression
from nanogap.compact.python_code import python_code
from nanogap.errors import SettingsError
from nanogap.io.atomic import json_text

#: A resistor of a circuit cannot be of 0 ohm.
_LEAST_RESISTANCE = 1e-3


def exported(fitted: FittedModel, form: str) -> str:
    """Write a fitted model in a language.

    Parameters
    ----------
    fitted : FittedModel
    form : str
        One of `FORMS`.

    Raises
    ------
    SettingsError
        If there is no such form, or the model has none of it.

    Examples
    --------
    >>> from nanogap.compact import FittedModel, Threshold
    >>> print(exported(FittedModel.of(Threshold()), "spice").splitlines()[4])
    .subckt nanogap_threshold p n mc=0 x0=0 rs=0.001 z0=0 z1=0 z2=0 z3=0 z4=0 z5=0
    """
    if form not in FORMS:
        raise SettingsError(f"--format {form}: give one of {', '.join(FORMS)}")
    return FORMS[form](fitted)


def module_name(fitted: FittedModel) -> str:
    """Return the name of the subcircuit or module of a model."""
    return f"nanogap_{fitted.model.model.replace('-', '_')}"


def _head(fitted: FittedModel, mark: str) -> list[str]:
    """Say what it is, from where, and how well it describes the data."""
    held = fitted.held_out
    how = "not fitted" if held is None else (
        f"fitted to {fitted.facts.get('cycles_fitted')} cycles of "
        f"{len(fitted.facts.get('devices', ()))} devices; {100.0 * held.explained:.1f} % of the "
        f"variance of ln G in {held.cycles} held-out cycles, {100.0 * held.inside:.0f} % of their "
        "readings in the 90 % band"
    )  # fmt: skip
    synthetic = "; the data are SYNTHETIC" if fitted.facts.get("synthetic") else ""
    return [
        f"{mark} {fitted.model.title}; equations: "
        + ", ".join(f"doi:{doi}" for doi in fitted.model.sources),
        f"{mark} {how}{synthetic}",
        f"{mark} written by nanogap {__version__}; positive voltage at p closes the gap",
        f"{mark} z0 to z5: standard normal deviates of a device, 0 for the typical one",
    ]


def _places(fitted: FittedModel, written: Equations, deviate: str) -> list[tuple[str, str]]:
    """Write the places of the coordinates as sums over the deviates, kept within their bounds."""
    root = square_root(fitted.covariance)
    found = []
    for row, (name, one) in enumerate(
        zip(written.coordinates, fitted.model.coordinates, strict=True)
    ):
        text = f"{fitted.mean[row]:.15g}"
        for column, weight in enumerate(root[row]):
            if weight != 0.0:
                text += f" {'+' if weight > 0.0 else '-'} {abs(weight):.12g}*{deviate}{column}"
        if root[row].any():
            low, high = one.place(one.low), one.place(one.high)
            text = f"max(min({text}, {high:.15g}), {low:.15g})"
        found.append((name, text))
    return found


def _spice(fitted: FittedModel) -> str:
    """Write a subcircuit for ngspice: B sources and capacitors."""
    written = equations_of(fitted.model)
    count = len(written.coordinates)
    deviates = " ".join(f"z{number}=0" for number in range(count))
    resistance = max(fitted.series_resistance, _LEAST_RESISTANCE)
    lines = _head(fitted, "*")
    lines.append(f".subckt {module_name(fitted)} p n mc=0 x0=0 rs={resistance:.9g} {deviates}")
    lines.append("* mc=1 draws the deviates anew for every instance")
    lines += [f".param s{k}={{z{k} + mc*agauss(0, 1, 1)}}" for k in range(count)]
    parameters = [
        *_places(fitted, written, "s"),
        *((name, f"{value:.15g}") for name, value in written.numbers.items()),
        *written.derived.items(),
    ]
    lines += [f".param {name}={{{text}}}" for name, text in parameters]
    lines += [
        f".func ex(u) {{exp(min(u, {HIGHEST_EXPONENT:g}))}}",
        f".func sh(u) {{sinh(max(min(u, {HIGHEST_EXPONENT:g}), -{HIGHEST_EXPONENT:g}))}}",
        ".func cl(u) {max(min(u, 1.001), -0.001)}",
        # ln(1 + e), also where e is below the rounding of 1
        ".func lp(e) {asinh((e + 0.5*e*e)/(1 + e))}",
        ".func sp(u) {max(u, 0) + lp(exp(-abs(u)))}",
    ]
    names = {name for name, _ in parameters}

    def source(text: str) -> str:
        nodes = {"v": "V(i,n)", "x": "V(x)", "y": "V(y)", "exp": "ex", "sinh": "sh"}

        def word(found: re.Match[str]) -> str:
            name = found[0]
            return f"{{{name}}}" if name in names else nodes.get(name, name)

        return re.sub(r"(?<![\w.])[A-Za-z]\w*", word, text)

    lines += [
        "Rs p i {rs}",
        f"Bgap i n I={source(written.current)}",
        f"Bx 0 x I={source(written.rate)}",
        "Cx x 0 1 ic={x0}",
    ]
    if written.unknown is not None:
        lines += [
            f"By y 0 I={source(written.unknown[1])}",
            "Ry y 0 1e12",
        ]
    return "\n".join([*lines, f".ends {module_name(fitted)}", ""])


def _verilog_a(fitted: FittedModel) -> str:
    """Write a module of Verilog-A."""
    written = equations_of(fitted.model)
    count = len(written.coordinates)
    resistance = max(fitted.series_resistance, _LEAST_RESISTANCE)
    extra = "" if written.unknown is None else ", y"
    names = [*written.coordinates, *written.derived]

    def code(text: str) -> str:
        limited = re.sub(r"(?<![\w.])exp\(", "limexp(", text)
        return re.sub(r"(?<![\w.])sinh\(", "sh(", limited)

    lines = [
        *_head(fitted, "//"),
        '`include "constants.vams"',
        '`include "disciplines.vams"',
        f"module {module_name(fitted)}(p, n);",
        "  inout p, n;",
        f"  electrical p, n, i, x{extra};",
        f"  parameter real rs = {resistance:.9g} from (0:inf);",
        "  parameter real x0 = 0 from [0:1];",
        *(f"  parameter real z{number} = 0;" for number in range(count)),
        *(f"  parameter real {name} = {value:.15g};" for name, value in written.numbers.items()),
        "  analog function real sp;",
        "    input u; real u, e;",
        "    begin",
        "      // ln(1 + e), also where e is below the rounding of 1",
        "      e = exp(-abs(u));",
        "      sp = max(u, 0.0) + asinh((e + 0.5*e*e)/(1.0 + e));",
        "    end",
        "  endfunction",
        "  analog function real sh;",
        "    input u; real u;",
        f"    sh = sinh(max(min(u, {HIGHEST_EXPONENT:.1f}), -{HIGHEST_EXPONENT:.1f}));",
        "  endfunction",
        "  analog function real cl;",
        "    input u; real u;",
        "    cl = max(min(u, 1.001), -0.001);",
        "  endfunction",
        f"  real v, x_now, y_now, held, {', '.join(names)};",
        "  analog begin",
        *(f"    {name} = {text};" for name, text in _places(fitted, written, "z")),
        *(f"    {name} = {code(text)};" for name, text in written.derived.items()),
        "    v = V(i, n);",
        "    x_now = V(x);",
    ]

    def now(text: str) -> str:
        return re.sub(r"\b([xy])\b", r"\1_now", code(text))

    if written.unknown is not None:
        lines += ["    y_now = V(y);", f"    I(y) <+ {now(written.unknown[1])};"]
    lines += [
        "    // the operating point is that of the state x0",
        '    held = analysis("static") ? 1.0 : 0.0;',
        "    I(p, i) <+ V(p, i)/rs;",
        f"    I(i, n) <+ {now(written.current)};",
        "    I(x) <+ ddt(V(x));",
        f"    I(x) <+ held*(V(x) - x0) - (1.0 - held)*({now(written.rate)});",
        "  end",
        "endmodule",
        "",
    ]
    return "\n".join(lines)


def _network(fitted: FittedModel) -> str:
    """Write the six numbers of the potentiation-depression model of nanowire networks."""
    model = fitted.model
    if not isinstance(model, PotentiationDepression):
        raise SettingsError(
            f"--format network: the six numbers are those of the model potentiation, and this one "
            f"is {model.model}: fit it with --model potentiation"
        )
    noise = fitted.fluctuations
    return json_text(
        {
            "kp0": model.potentiation_rate,
            "kd0": model.depression_rate,
            "eta_p": model.potentiation_slope,
            "eta_d": model.depression_slope,
            "g_min": model.low_conductance,
            "g_max": model.high_conductance,
            "units": {"kp0": "1/s", "kd0": "1/s", "eta_p": "1/V", "eta_d": "1/V"}
            | {"g_min": "S", "g_max": "S"},
            "fluctuations": None if noise is None else asdict(noise),
            "coordinates": [one.name for one in model.coordinates],
            "mean": fitted.mean.tolist(),
            "covariance": fitted.covariance.tolist(),
            "equations": [f"https://doi.org/{doi}" for doi in model.sources],
        }
    )


#: What writes each form, by its name on the command line.
FORMS: dict[str, Callable[[FittedModel], str]] = {
    "verilog-a": _verilog_a,
    "spice": _spice,
    "python": python_code,
    "network": _network,
    "json": lambda fitted: json_text(fitted.content()),
}

#: Endings of the files of each form.
ENDINGS: dict[str, tuple[str, ...]] = {
    "verilog-a": (".va", ".vams"),
    "spice": (".cir", ".sp", ".sub", ".lib", ".inc"),
    "python": (".py",),
    "network": (".json",),
    "json": (".json",),
}
