"""The daemon: owns chats, calls models, survives."""
