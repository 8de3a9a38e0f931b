"""Rules of this API that OpenAPI cannot express. They address existing resources and suppress false failures."""

import itertools
import json
import os
import time
import urllib.error
import urllib.request

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData, UseAfterFree

# The resources that the test has created. Elsewhere most operations result in a 404.
PLACE = {"token": os.environ.get("APPLICATION_TOKEN"), "chat_number": 1, "message_number": 1}
# The token of no application. It replaces the token of PLACE in requests that must not reach it.
NOWHERE = "nowhere"
LONGEST_KEY = 255
STORED_WITHIN_SECONDS = 5
numbers = itertools.count()


def is_valid(case, location):
    component = case.meta.components.get(location)
    return component is not None and component.mode.is_positive


def another(key):
    """
    Returns the key with a unique prefix, quoted or bare as before. The prefix is so long that the API does not refuse
    the key as easy to guess.
    """
    quoted = len(key) > 1 and key.startswith('"') and key.endswith('"')
    numbered = f"the key of request {next(numbers)} {key[1:-1] if quoted else key}"[:LONGEST_KEY]
    return f'"{numbered}"' if quoted else numbered.rstrip()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives each request a new key and the path of existing resources. Sequences use the resources that they create."""
    if is_valid(case, ParameterLocation.HEADER) and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = another(case.headers["Idempotency-Key"])
    if case.method.upper() == "DELETE":
        # The test needs its application, so it must not be deleted.
        if case.path_parameters.get("token") == PLACE["token"]:
            case.path_parameters["token"] = NOWHERE
    elif case.meta.phase.name.value != "stateful" and is_valid(case, ParameterLocation.PATH):
        case.path_parameters.update({name: PLACE[name] for name in case.path_parameters})


def is_there(url):
    try:
        urllib.request.urlopen(url).close()
    except urllib.error.HTTPError:
        return False
    return True


def is_pending(message):
    try:
        urllib.request.urlopen(message).close()
    except urllib.error.HTTPError as answer:
        return json.load(answer).get("code") == "message_pending"
    return False


def stays(condition, url):
    """Waits while the condition holds, and returns whether it still holds after the timeout."""
    end = time.monotonic() + STORED_WITHIN_SECONDS
    while condition(url):
        if time.monotonic() > end:
            return True
        time.sleep(0.01)
    return False


@schemathesis.hook
def after_call(context, case, response):
    """Waits until a created message is stored, moments after the response, so that the next request can read it."""
    chat, is_messages, batch = response.request.url.partition("?")[0].partition("/messages")
    if case.method.upper() != "POST" or response.status_code != 201 or not is_messages:
        return
    created = response.json()
    number = created["data"][-1]["number"] if batch else created["number"]
    stays(is_pending, f"{chat}/messages/{number}")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """
    Returns False for failures that are no faults of the API:
    - White space around a header's value is not part of it, so a key that is only wrong because of it arrives as valid.
    - Where a body may be missing, null counts as no body.
    - Metadata has limits that OpenAPI cannot express: its size, its levels, and no U+0000 at any level.
    - A cursor of the right form is refused unless it is the `next` of the same list.
    - A resource that a sequence created is not missing when the request was redirected to NOWHERE.
    - A deleted resource can be read until the deletion is stored, even again if its create is stored after a read.
    """
    if isinstance(failure, EnsureResourceAvailability) and case.path_parameters.get("token") == NOWHERE:
        return False
    key = case.headers.get("Idempotency-Key", "")
    if isinstance(failure, AcceptedNegativeData) and key != key.strip():
        return False
    if isinstance(failure, AcceptedNegativeData) and case.body is None:
        return False
    if isinstance(failure, UseAfterFree) and case.method.upper() == "GET":
        return stays(is_there, response.request.url)
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 422:
        return True
    pointers = [fault["pointer"] for fault in response.json().get("errors", [])]
    return pointers != ["cursor"] and not (pointers and all(pointer.endswith("/metadata") for pointer in pointers))
