"""Prediction of faces from sound."""
