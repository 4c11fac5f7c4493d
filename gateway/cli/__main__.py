"""`python -m gateway.cli`, the same as the command `edge-gateway`."""

import sys

from gateway.cli.main import main

sys.exit(main())
