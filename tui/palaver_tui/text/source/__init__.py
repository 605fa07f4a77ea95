"""Source maps: from places in lines to offsets in the source, and back. Pure."""
