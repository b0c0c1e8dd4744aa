"""What a spectrum says about its image: radial profile, slope, orientation and peaks."""
