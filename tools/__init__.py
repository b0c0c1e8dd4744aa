"""Programs for a developer's or an operator's own machine: in neither the wheel nor an image."""
