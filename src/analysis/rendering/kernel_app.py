"""A report's kernel: ipykernel's own, told what to be without a parser of all its options."""

from __future__ import annotations

import re

from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config
from traitlets.config.loader import DeferredConfigString

OPTION = re.compile(r"^--(\w+)\.(\w+)=(.*)$", re.MULTILINE)


class ReportKernelApp(IPKernelApp):
    """Understands at once what Jupyter starts a kernel with; all else as ipykernel does.

    To make the parser is a fifth of a kernel's start.
    """

    def parse_command_line(self, argv: list[str] | None = None) -> None:
        """Take a kernel's options; see :class:`traitlets.config.Application`."""
        match argv:
            case ["-f", connection_file, *rest] if all(map(OPTION.fullmatch, rest)):
                config = Config(IPKernelApp=Config(connection_file=connection_file))
                for kind, name, value in OPTION.findall("\n".join(rest)):
                    config[kind][name] = DeferredConfigString(value)
                self.argv, self.extra_args, self.cli_config = argv, [], config
                self.update_config(config)
            case _:
                super().parse_command_line(argv)
