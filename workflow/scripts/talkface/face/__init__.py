"""The face as numbers: landmarks, identity, shape model, sync."""
