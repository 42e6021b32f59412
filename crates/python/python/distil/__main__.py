"""The command."""

import signal
import sys

from . import _native


def main() -> int:
    """Runs the command; returns its exit status."""
    # Rust hears them from here on; what was ignored stays so.
    for heard in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(heard) is not signal.SIG_IGN:
            signal.signal(heard, signal.SIG_DFL)
    return _native.main(["distil", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
