"""Operations on pixels: regions, grey levels, statistics, sharpness, saliency and renditions."""
