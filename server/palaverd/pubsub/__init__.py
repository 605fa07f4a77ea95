"""Notifications between the parts of a daemon, and later between replicas."""
