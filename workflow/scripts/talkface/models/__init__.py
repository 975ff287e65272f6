"""Networks, their layers, inputs and weights files."""
