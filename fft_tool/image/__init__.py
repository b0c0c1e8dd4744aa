"""Pixels: regions, grey levels, statistics, sharpness, saliency and renditions."""
