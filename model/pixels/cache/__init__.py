"""Smaller copies of pictures, made once and read by every later epoch, fold, rank and session."""
