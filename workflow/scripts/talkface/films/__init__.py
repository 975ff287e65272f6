"""Pictures and films of a clip."""
