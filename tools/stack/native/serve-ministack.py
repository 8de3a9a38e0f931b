"""Runs MiniStack, and saves its state every few seconds.

MiniStack saves what it holds only when it is told to end. A kill would lose the ledger, and with it which numbers were
given, while the messages under these numbers are still in the SQL database.
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
        # In the loop's own thread, where nothing changes meanwhile; it is set before the saved state is loaded there.
        if app._MAIN_LOOP is not None:
            app._MAIN_LOOP.call_soon_threadsafe(save)


# It would tell each file that it saves.
logging.getLogger("persistence").setLevel(logging.WARNING)
threading.Thread(target=save_regularly, daemon=True).start()
app.main()
