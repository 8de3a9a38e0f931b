"""Runs MiniStack, saves its state every few seconds, and adds to it what the feed needs.

MiniStack itself saves its state only on a graceful stop. A kill would lose the ledger, and with it the assigned
numbers, while the messages with these numbers are still in the SQL database.
"""

import json
import logging
import os
import re
import threading
import time

from ministack import app
from ministack.services import appsync_events
from ministack.services.cloudformation import provisioners

SECONDS = 3


def save():
    app.save_all(app._build_persistence_save_dict())


def save_regularly():
    while True:
        time.sleep(SECONDS)
        # Save in the thread of the event loop, so that nothing changes the state meanwhile. MiniStack sets _MAIN_LOOP
        # and then loads the saved state without giving control to the loop, so no save runs before the load is done.
        if app._MAIN_LOOP is not None:
            app._MAIN_LOOP.call_soon_threadsafe(save)


# MiniStack has the Event APIs of AppSync, but its CloudFormation cannot create them. These handlers add that, and call
# the functions behind MiniStack's own AppSync API.


def called(response):
    status, _, body = response
    if status != 200:
        raise ValueError(body)
    return json.loads(body or "{}")


def api_request(props):
    return json.dumps(
        {"name": props["Name"], "eventConfig": provisioners._pascal_to_camel(props["EventConfig"])}
    ).encode()


def api_attributes(api_id):
    # Not <id>.appsync-api.<region>.localhost, because names below localhost do not resolve everywhere.
    address = f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}/_appsync/{api_id}"
    arn = appsync_events._api_arn(api_id)
    return api_id, {"ApiId": api_id, "ApiArn": arn, "Dns.Http": address, "Dns.Realtime": address}


def create_api(logical_id, props, stack_name):
    return api_attributes(called(appsync_events._create_api(api_request(props)))["api"]["apiId"])


def update_api(api_id, old_props, props, stack_name):
    called(appsync_events._update_api(api_id, api_request(props)))
    return api_attributes(api_id)


def namespace_request(props):
    return json.dumps(provisioners._pascal_to_camel(props)).encode()


def namespace_attributes(props):
    arn = appsync_events._channel_namespace_arn(props["ApiId"], props["Name"])
    return arn, {"ChannelNamespaceArn": arn}


def create_namespace(logical_id, props, stack_name):
    called(appsync_events._create_channel_namespace(props["ApiId"], namespace_request(props)))
    return namespace_attributes(props)


def update_namespace(arn, old_props, props, stack_name):
    called(appsync_events._update_channel_namespace(props["ApiId"], props["Name"], namespace_request(props)))
    return namespace_attributes(props)


provisioners._RESOURCE_HANDLERS["AWS::AppSync::Api"] = {
    "create": create_api,
    "update": update_api,
    "delete": lambda api_id, props: appsync_events._delete_api(api_id),
}
provisioners._RESOURCE_HANDLERS["AWS::AppSync::ChannelNamespace"] = {
    "create": create_namespace,
    "update": update_namespace,
    "delete": lambda arn, props: appsync_events._delete_channel_namespace(props["ApiId"], props["Name"]),
}

# MiniStack asks the authorizer for every operation of an API that has one. AWS asks it only where the namespace says so.
ask_authorizer = appsync_events._authorize_event_op


async def authorize(api_id, channel, operation, auth, request_headers=None):
    modes = appsync_events._operation_auth_modes(api_id, channel, operation)
    if "AWS_LAMBDA" in modes:
        return await ask_authorizer(api_id, channel, operation, auth, request_headers)
    return appsync_events._modes_accept(api_id, modes, auth)


appsync_events._authorize_event_op = authorize

# Serves the addresses of api_attributes. MiniStack identifies an Event API by the host name in the request.
serve = app.app
EVENT_API = re.compile(r"/_appsync/([a-z0-9]+)(/.*)")


async def serve_event_apis(scope, receive, send):
    found = EVENT_API.fullmatch(scope.get("path", ""))
    if found:
        api_id, path = found.groups()
        service = "appsync-realtime-api" if scope["type"] == "websocket" else "appsync-api"
        host = (b"host", f"{api_id}.{service}.localhost".encode())
        others = [header for header in scope["headers"] if header[0] != b"host"]
        scope = {**scope, "path": path, "raw_path": path.encode(), "headers": [host, *others]}
    await serve(scope, receive, send)


app.app = serve_event_apis

# Otherwise MiniStack would log each file that it saves.
logging.getLogger("persistence").setLevel(logging.WARNING)
threading.Thread(target=save_regularly, daemon=True).start()
app.main()
