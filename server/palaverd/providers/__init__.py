"""Model providers: a neutral request in, neutral events out."""
