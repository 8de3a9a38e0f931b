"""What an OpenAPI document can't say of this API, so that Schemathesis meets what is there and takes nothing for a fault."""

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

# What the test has made. Only here are most operations more than a 404.
PLACE = {"token": os.environ.get("APPLICATION_TOKEN"), "chat_number": 1, "message_number": 1}
# No application's; what was sent for PLACE's, and must not reach it, goes here.
NOWHERE = "nowhere"
LONGEST_KEY = 255
STORED_WITHIN_SECONDS = 5
numbers = itertools.count()


def is_valid(case, location):
    component = case.meta.components.get(location)
    return component is not None and component.mode.is_positive


def another(key):
    """The key with a number in front, bare or in quotes as it was; hard to guess, as far as the API can tell."""
    quoted = len(key) > 1 and key.startswith('"') and key.endswith('"')
    numbered = f"the key of request {next(numbers)} {key[1:-1] if quoted else key}"[:LONGEST_KEY]
    return f'"{numbered}"' if quoted else numbered.rstrip()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives each request a key of its own, and a place where there is something; sequences find such a place themselves."""
    if is_valid(case, ParameterLocation.HEADER) and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = another(case.headers["Idempotency-Key"])
    if case.method.upper() == "DELETE":
        # What the test has made is to stay.
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
    """Waits while the condition holds; answers whether it does so to the end."""
    end = time.monotonic() + STORED_WITHIN_SECONDS
    while condition(url):
        if time.monotonic() > end:
            return True
        time.sleep(0.01)
    return False


@schemathesis.hook
def after_call(context, case, response):
    """A message can be read when it is stored, moments after the answer: whoever comes next is to find it so."""
    chat, is_messages, batch = response.request.url.partition("?")[0].partition("/messages")
    if case.method.upper() != "POST" or response.status_code != 201 or not is_messages:
        return
    created = response.json()
    number = created["data"][-1]["number"] if batch else created["number"]
    stays(is_pending, f"{chat}/messages/{number}")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """
    White space around a header's value is not part of it, so a key that is wrong by that alone is right when it arrives.
    A cursor that is valid by its form is refused all the same, unless it is the `next` of this very list.
    What a sequence has made and is sent nowhere is not missing.
    What is deleted may be read until that is stored too, even again when its create is stored after a read; then no more.
    """
    if isinstance(failure, EnsureResourceAvailability) and case.path_parameters.get("token") == NOWHERE:
        return False
    key = case.headers.get("Idempotency-Key", "")
    if isinstance(failure, AcceptedNegativeData) and key != key.strip():
        return False
    if isinstance(failure, UseAfterFree) and case.method.upper() == "GET":
        return stays(is_there, response.request.url)
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 422:
        return True
    return [fault["pointer"] for fault in response.json().get("errors", [])] != ["cursor"]
