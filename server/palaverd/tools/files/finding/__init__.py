"""Finding files and lines of a workspace, in a process of its own.

A walk through a large tree, or a regular expression that takes for ever, holds up no daemon: the
process ends itself when its time is up, and is killed if it does not.
"""
