"""From nothing to a model: servers on this machine, and the file that names them."""
