"""Entry point of a worker process."""

from safelight.workers.child import main

raise SystemExit(main())
