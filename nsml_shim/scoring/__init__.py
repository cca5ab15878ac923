"""Scores in plain Python: no numpy, so that an organiser's machine stays small."""
