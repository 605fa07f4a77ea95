"""Use cases: what each request does to chats, as one transaction, independent of HTTP."""
