"""The HTTP service: a catalogue of images, and product crops."""
