"""`python -m nsml_shim` is `nsml`."""

from nsml_shim.cli import main

main()
