"""The face mesh: Google's Face Landmarker, and a face followed by it."""
