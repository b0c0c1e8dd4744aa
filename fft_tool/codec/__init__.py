"""Image files: formats, decoders, and the PNG encoder."""
