"""Corpora: where clips come from, the sample sheet, quality control."""
