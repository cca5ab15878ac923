"""Synthetic review pictures: what is reviewed, what the picture shows, how the camera saw it.

Read in this order: `catalog` (categories), `plan` (one record per picture, with its label noise),
`looks` (which drawing shows which class), `picture` (record to JPEG), `layout` (folder on disk).
"""

GENERATOR_VERSION = 1
"""Raised whenever the same seed would give other bytes."""
