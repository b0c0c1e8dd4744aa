"""A simulation of the whole system at the scale of a billion objects, for docs/scale.md."""
