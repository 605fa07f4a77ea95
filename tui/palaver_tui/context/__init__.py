"""The context of actions: the parts of the client as one typed value, and its transient state."""
