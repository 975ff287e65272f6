"""Noise: of training and of evaluation, synthesized or recorded, and its mixing with speech."""
