"""One verb, one function: no parsing of options and no printing of tables."""
