"""Live output as logs, and the subscribers that follow a chat or the chat list."""
