"""Smaller copies of pictures, made once and read by every later epoch, fold, rank and session."""

from model.pixels.cache.kinds import JPEG, KINDS, RAW, CacheKind
from model.pixels.cache.pictures import CacheDamaged, PictureCache
from model.pixels.cache.plan import (
    AUTO,
    OFF,
    CacheWish,
    build,
    gigabytes,
    open_cache,
    prepare_cache,
)

__all__ = [
    "AUTO",
    "JPEG",
    "KINDS",
    "OFF",
    "RAW",
    "CacheDamaged",
    "CacheKind",
    "CacheWish",
    "PictureCache",
    "build",
    "gigabytes",
    "open_cache",
    "prepare_cache",
]
