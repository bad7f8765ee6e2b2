"""The program that fits: ``python -m training.trainer PARENT``, started and kept by a worker.

It takes one order after another from its standard input, a line of JSON each, and answers each by a line.
"""

import ctypes
import gc
import json
import logging
import os
import signal
import sys
from typing import IO, Any

import django

django.setup()

from django.db import connection  # noqa: E402  # after the set-up, as all that follows
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier  # noqa: E402, F401

from mlplatform.tenancy.models import Tenant  # noqa: E402
from mlplatform.tenancy.request_context import request_context  # noqa: E402
from mlplatform.tenancy.scope import tenant_scope  # noqa: E402
from training import twins  # noqa: E402, F401  # loaded before an order comes, as the estimators above
from training.services import execution, helping  # noqa: E402
from training.services.claims import Claim  # noqa: E402
from training.services.helpers import HelpClaim  # noqa: E402
from training.services.limits import limited_memory, limits_of  # noqa: E402

logger = logging.getLogger(__name__)
PR_SET_PDEATHSIG = 1


def main(parent: int) -> None:
    """Serve orders until the worker closes the pipe."""
    die_with(parent)
    replies = _own_output()
    _tell(replies, {"ready": True})
    for line in sys.stdin:
        _tell(replies, {"done": obey(json.loads(line))})


def obey(order: dict[str, Any]) -> bool:
    """Do one job; False where it ended by an error of ours, which stands in the log and in the job's row."""
    try:
        tenant = Tenant.objects.get(pk=order["tenant"])
        with (
            tenant_scope(tenant),
            request_context(request_id=order["request"], address=None),
            limited_memory(limits_of(order["config"]).memory_mb),
        ):
            _work(order)
    except Exception:  # the last door: the next job must find a program that listens
        logger.exception("The order %s ended by an error.", order.get("claim") or order.get("help"))
        return False
    finally:
        connection.close()
        _free()
    return True


def _work(order: dict[str, Any]) -> None:
    """Do a whole job, or help with another worker's search."""
    if "help" in order:
        helping.help_out(claim=HelpClaim.from_text(order["help"]), beating=False)
    else:
        execution.run(claim=Claim.from_text(order["claim"]), beating=False)


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process once the worker is gone: nobody would want its result."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went while this one started
        raise SystemExit(1)


def _own_output() -> IO[str]:
    """Keep the pipe for replies; what libraries print goes to the log."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return replies


def _tell(replies: IO[str], reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


def _free() -> None:
    """Give memory back to the system, which the C library would keep for later."""
    gc.collect()
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
