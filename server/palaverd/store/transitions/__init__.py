"""The transitions, one module per subject: functions over a `LockedChat`."""
