"""Model providers: a neutral request in, neutral events out.

No vendor SDK is imported before a provider is warmed up or called.
"""
