"""What a spectrum says about its image: radial profile, orientation and peaks."""
