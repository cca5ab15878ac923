"""From picture files to batches of pixels: decode, count what is broken, stream."""
