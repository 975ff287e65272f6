"""Networks, one a module: each has a class `Network` and is registered under the module's name."""
