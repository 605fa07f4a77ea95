"""What each action does: one method `do_<id>` per row of the table of actions."""
