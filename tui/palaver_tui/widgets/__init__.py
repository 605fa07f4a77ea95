"""What is on the screen. Widgets read views and keep no truth of their own."""
