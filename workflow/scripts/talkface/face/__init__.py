"""Face measurement: landmarks, identity removal, shape model, offset of sound and picture."""
