"""What is shown, as values: pure reducers and pure functions over what they make."""
