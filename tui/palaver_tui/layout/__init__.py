"""Pure layout: Markdown to blocks, blocks to lines. Nothing here knows Textual."""
