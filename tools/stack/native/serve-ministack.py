"""Runs MiniStack, and saves its state every few seconds.

MiniStack itself saves its state only on a graceful stop. A kill would lose the ledger, and with it the assigned
numbers, while the messages with these numbers are still in the SQL database.
"""

import logging
import threading
import time

from ministack import app

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


# Otherwise MiniStack would log each file that it saves.
logging.getLogger("persistence").setLevel(logging.WARNING)
threading.Thread(target=save_regularly, daemon=True).start()
app.main()
