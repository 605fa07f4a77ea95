"""What is known of model servers, as one table: what they want, what they send, what they say."""
