"""Text as lines of styled spans. Pure: nothing here knows Textual."""
