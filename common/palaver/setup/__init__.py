"""First setup: find model servers on this machine, and write a configuration for one."""
