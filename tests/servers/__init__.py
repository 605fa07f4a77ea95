"""`make servers`: Palaver against real model servers, as a table; not part of `make test`."""
