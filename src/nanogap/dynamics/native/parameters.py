"""Numbers of one metal, from the table of a ReaxFF force field, in eV and angstrom.

ReaxFF is that of van Duin et al., J. Phys. Chem. A 105, 9396 (2001), doi:10.1021/jp004368u, in the
later form of Chenoweth et al., J. Phys. Chem. A 112, 1040 (2008), doi:10.1021/jp709896w, as LAMMPS
computes it. The metals that nanogap packages use few of its terms: neither corrections of the bond
order, nor pi bonds, nor angles, torsions or hydrogen bonds. The total bond order of an atom is
then a sum over pairs, and every energy but the electrostatic one is a function of a distance or of
a total bond order: the form of an embedded-atom potential. Where a table has other terms, it is
refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

from nanogap.errors import SettingsError
from nanogap.units import KCAL_PER_MOL

#: Constants as LAMMPS' ReaxFF has them, which differ among each other: the energy counts
#: 332.06371 kcal/mol angstrom for e^2/(4 pi epsilon_0) and 23.02 kcal/mol for an eV of chi and eta,
#: charge equilibration 14.4 eV angstrom.
COULOMB_ENERGY = 332.06371 * KCAL_PER_MOL
ELECTRONVOLT = 23.02 * KCAL_PER_MOL
COULOMB_CHARGES = 14.4

#: Below this LAMMPS counts a correction of the bond order as absent.
_NO_CORRECTION = 0.001
#: Distance of atoms that never meet, and the largest order of a pi bond there that is none.
_CLOSE, _NO_BOND = 1.0, 1e-12
#: Atoms up to this mass, u, have a lone-pair term in the over-coordination.
_LIGHT = 21.0
#: The distance at which charge equilibration ends.
_CHARGE_CUTOFF = 10.0


@dataclass(frozen=True)
class MetalParameters:
    """Parameters of one metal; energies in eV, lengths in angstrom, names as in the papers.

    Attributes
    ----------
    r_sigma, p_bo1, p_bo2, bond_cutoff : float
        Of the bond order; `bond_cutoff` is the order that is subtracted from every bond.
    dissociation, p_be1, p_be2 : float
        Of the bond energy.
    valency, p_ovun1, p_ovun2 : float
        Of the over-coordination.
    p_ovun5, p_ovun6, p_ovun7 : float
        Of the under-coordination.
    valency_e, p_lp1, p_lp2 : float
        Of the lone pairs.
    depth, radius, alpha, gamma_w, p_vdw : float
        Van der Waals: D, r_vdW of a pair, alpha, and the shielding (0: none).
    core_energy, core_radius, core_alpha : float
        Inner wall (energy 0: none).
    gamma, chi, eta : float
        Charges: shielding 1/angstrom; electronegativity, eV; hardness J of the papers, eV.
    taper_begin, cutoff : float
        Where the taper of the non-bonded terms begins and ends.
    """

    r_sigma: float
    p_bo1: float
    p_bo2: float
    bond_cutoff: float
    dissociation: float
    p_be1: float
    p_be2: float
    valency: float
    p_ovun1: float
    p_ovun2: float
    p_ovun5: float
    p_ovun6: float
    p_ovun7: float
    valency_e: float
    p_lp1: float
    p_lp2: float
    depth: float
    radius: float
    alpha: float
    gamma_w: float
    p_vdw: float
    core_energy: float
    core_radius: float
    core_alpha: float
    gamma: float
    chi: float
    eta: float
    taper_begin: float
    cutoff: float

    @classmethod
    def from_table(
        cls, general: Sequence[float], atom: Mapping[str, float], bond: Mapping[str, float]
    ) -> "MetalParameters":
        """Take the numbers of one element from a ReaxFF table.

        Parameters
        ----------
        general : sequence of float
            The general parameters in file order.
        atom, bond : mapping of str to float
            Those of the element and of its bond with itself, by the names of
            `nanogap.dynamics.forcefield`, in the units of the file.

        Returns
        -------
        MetalParameters

        Raises
        ------
        SettingsError
            If the table has a term that is not computed here.
        """
        _refuse_other_terms(general, atom, bond)
        shields, inner_wall = atom["gamma_w"] > 0.5, atom["rcore"] > 0.01 and atom["acore"] > 0.01
        return cls(
            r_sigma=atom["r_sigma"],
            p_bo1=bond["p_bo1"],
            p_bo2=bond["p_bo2"],
            bond_cutoff=0.01 * general[29],
            dissociation=bond["De_s"] * KCAL_PER_MOL,
            p_be1=bond["p_be1"],
            p_be2=bond["p_be2"],
            valency=atom["valency"],
            p_ovun1=bond["p_ovun1"],
            p_ovun2=atom["p_ovun2"],
            p_ovun5=atom["p_ovun5"] * KCAL_PER_MOL,
            p_ovun6=general[6],
            p_ovun7=general[8],
            valency_e=atom["valency_e"],
            p_lp1=general[15],
            p_lp2=atom["p_lp2"] * KCAL_PER_MOL,
            depth=atom["D_vdW"] * KCAL_PER_MOL,
            radius=2.0 * atom["R_vdW"],
            alpha=atom["alpha_vdW"],
            gamma_w=atom["gamma_w"] if shields else 0.0,
            p_vdw=general[28],
            core_energy=atom["ecore"] * KCAL_PER_MOL if inner_wall else 0.0,
            core_radius=atom["rcore"],
            core_alpha=atom["acore"],
            gamma=atom["gamma_EEM"],
            chi=atom["chi_EEM"],
            eta=2.0 * atom["eta_EEM"],
            taper_begin=general[11],
            cutoff=general[12],
        )


def _refuse_other_terms(
    general: Sequence[float], atom: Mapping[str, float], bond: Mapping[str, float]
) -> None:
    """Refuse a table with terms that are not computed here.

    Raises
    ------
    SettingsError
        The message says which term.
    """
    pi_bonds = [
        exp(min(0.0, bond[factor] * (_CLOSE / atom[radius]) ** bond[power]))
        for radius, factor, power in (("r_pi", "p_bo3", "p_bo4"), ("r_pi_pi", "p_bo5", "p_bo6"))
        if atom[radius] > 0.0
    ]
    terms = {
        "corrections of the bond order": max(bond["ovc"], bond["v13cor"]) >= _NO_CORRECTION,
        "pi bonds": any(order > _NO_BOND for order in pi_bonds),
        "lone pairs in the over-coordination": atom["mass"] <= _LIGHT,
        "no sigma bond": atom["r_sigma"] <= 0.0,
        f"a taper that does not end at {_CHARGE_CUTOFF:g} Å": general[12] != _CHARGE_CUTOFF
        or not 0.0 <= general[11] < _CHARGE_CUTOFF,
    }
    for term, there in terms.items():
        if there:
            raise SettingsError(
                f"the ReaxFF table has {term}, which dynamics.engine = 'native' does not compute: "
                "set dynamics.engine = 'reaxff'"
            )
