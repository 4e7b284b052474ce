"""Engine of this project: Green's functions in the tight-binding model."""

from nanogap.transport.backends._contract import Backend, Capabilities
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.negf.cost import transmission_cost
from nanogap.transport.negf.local import compute_local
from nanogap.transport.tight_binding.files import packaged_elements

BACKEND = Backend(
    compute_transmission,
    Capabilities(takes_model=True, onsite_shifts=True, elements=packaged_elements()),
    compute_local,
    transmission_cost,
)
