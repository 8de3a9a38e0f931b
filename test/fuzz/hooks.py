"""What an OpenAPI document can't say of this API, so that Schemathesis does not take it for a fault."""

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A valid cursor is another page's `next`, and a valid key one that came with no other payload."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 422:
        return True
    problem = response.json()
    faults = [fault["pointer"] for fault in problem.get("errors", [])]
    return problem["code"] != "idempotency_key_reused" and faults != ["cursor"]


@schemathesis.hook
def before_call(context, case, kwargs):
    """A repeated key gets the first answer again, though what that names may be deleted meanwhile."""
    if case.meta and case.meta.phase.name.value == "stateful" and case.headers:
        case.headers.pop("Idempotency-Key", None)
