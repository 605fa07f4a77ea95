"""The functions of actions, which take a context, in tables by the action's id."""
