"""The half of the platform that runs inside a session: what `import nsml` is made of.

Standard library only, and quick to import: it may never slow or break a training.
"""
