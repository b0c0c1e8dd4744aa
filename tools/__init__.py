"""Programs for the machine of a developer or operator; neither the wheel nor an image has them."""
