"""Measures of predictions, their statistics and tables."""
