"""Starts the server of dstack 0.21.2 with credentials of clouds taken as they are: no cloud is asked here."""

import sys

import dstack._internal.core.backends.configurators  # noqa: F401
from dstack._internal.cli.main import main
from dstack._internal.core.backends.base.configurator import Configurator


def below(cls):
    for child in cls.__subclasses__():
        yield child
        yield from below(child)


for configurator in below(Configurator):
    configurator.validate_config = lambda self, config, default_creds_enabled: None

sys.argv = ["dstack", "server", "--host", "127.0.0.1", "--port", sys.argv[1], "-n"]
main()
