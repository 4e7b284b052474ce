"""Barriers of hops on the fcc lattice from the embedded-atom method, for `nanogap.device`.

Three steps, each a command; docs/barriers.md has the equations and the results:

    python -m parametrisation.barriers bands Ag -o parametrisation/data/barriers_ag.npz
    python -m parametrisation.barriers fit Ag parametrisation/data/barriers_ag.npz \
        -o src/nanogap/device/data/ag.json
    python -m parametrisation.barriers figure Ag parametrisation/data/barriers_ag.npz \
        -o docs/images/barriers.png
"""
