"""Noise to train with and to judge with."""
