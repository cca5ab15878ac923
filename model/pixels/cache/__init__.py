"""Smaller copies of the pictures, made once and read by every later epoch, fold, rank and session."""

from model.pixels.cache.kinds import JPEG, KINDS, RAW, CacheKind
from model.pixels.cache.pictures import CacheDamaged, PictureCache
from model.pixels.cache.plan import Survey, build, claim, in_words, open_cache, room, survey

__all__ = [
    "JPEG",
    "KINDS",
    "RAW",
    "CacheDamaged",
    "CacheKind",
    "PictureCache",
    "Survey",
    "build",
    "claim",
    "in_words",
    "open_cache",
    "room",
    "survey",
]
