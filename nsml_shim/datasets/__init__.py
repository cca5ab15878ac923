"""Datasets on disk: what each kind of session may see, and what nobody may."""
