"""What clients ask for: what each request does to chats, as one transaction, without HTTP."""
