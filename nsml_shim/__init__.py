"""An embedded, NSML-compatible competition platform."""

__version__ = "0.1.0"
