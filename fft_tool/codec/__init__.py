"""Bytes to pixels and back: formats, decoders, and the PNG encoder."""
