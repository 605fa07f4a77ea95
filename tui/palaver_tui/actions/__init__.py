"""What each action does: functions over a context, in tables by id."""
