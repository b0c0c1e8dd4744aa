"""The half spectrum: transform, preparation, filters, pictures and inversion."""
