"""Everything that reaches below the public interface of Textual."""
