"""Operations: functions from image to image, registered by name."""
