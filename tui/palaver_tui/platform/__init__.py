"""Interfaces to the operating system: clipboard, browser, picture viewer, signals."""
