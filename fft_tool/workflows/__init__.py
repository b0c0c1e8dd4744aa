"""The processing workflow: operations and analyses of one image, and the manifest of both."""
