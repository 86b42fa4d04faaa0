"""Fragments as the tables hold them: one byte that names the preset dictionary, then raw deflate.

Raw deflate has no checksum on purpose: over a preset dictionary it would cost as much as the decompression.
"""

import zlib
from typing import Final

from .dictionaries import DICTIONARIES

# Measured on entries of 7.5 KB: level 3 gives 0.46 KB in 20 us, level 1 0.54 KB in as much, level 6 0.41 KB in 35 us.
_LEVEL: Final = 3
_RAW: Final = -15
_MEMORY: Final = 6


def pack(fragment: bytes, dictionary: int) -> bytes:
    """Compress a fragment with one of DICTIONARIES."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, DICTIONARIES[dictionary])
    return b"%c%b%b" % (dictionary, packer.compress(fragment), packer.flush())


def unpack(blob: bytes) -> bytes:
    """The fragment of a blob."""
    return zlib.decompressobj(_RAW, DICTIONARIES[blob[0]]).decompress(blob[1:])
