"""Painting on arrays: strokes, letters, landmarks, faces."""
