"""The state machine of a chat, pure: states, the table of transitions, rules, invariants."""
