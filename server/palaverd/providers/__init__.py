"""Model providers: a neutral request in, neutral events out.

Nothing here imports a vendor's SDK before a provider is warmed up or called.
"""
