"""Firefox without a window, driven by its own protocol, Marionette: JSON over a socket."""

import json
import shutil
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from time import monotonic, sleep

NAMES = ("firefox-esr", "firefox")
PATIENCE = 600  # seconds to wait for an answer, on a busy machine
# Not even Firefox itself calls home.
SETTINGS = {
    "marionette.port": 0,  # any that is free; it is written into the profile
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
}
# A script is an expression, or a function that takes the argument; its result may be awaited.
RUN = """
const [script, argument, done] = arguments;
const run = async () => {
  const found = window.eval(`(${script}\n)`);
  return typeof found === "function" ? found(JSON.parse(argument)) : found;
};
run().then((found) => done(JSON.stringify({ found }))).catch((error) => done(`${error}`));
"""


def found():
    """Return the path of a Firefox on this machine, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Firefox:
    """One window of Firefox, to be used in a `with` statement.

    Attributes
    ----------
    version : str
        Such as "140.5.0".
    """

    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory(prefix="firefox-")
        profile = Path(self.folder.name)
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in SETTINGS.items()]
        (profile / "user.js").write_text("".join(lines))
        command = [program, "--headless", "--marionette", "--no-remote", "--profile", profile]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self.connect(profile / "MarionetteActivePort")
        except BaseException:
            self.close()
            raise

    def connect(self, port):
        """Wait until Firefox listens, and begin a session."""
        end = monotonic() + PATIENCE / 10
        while not (port.exists() and port.read_text().strip()):
            if monotonic() > end or self.process.poll() is not None:
                raise RuntimeError("Firefox did not start")
            sleep(0.1)
        self.socket = socket.create_connection(("127.0.0.1", int(port.read_text())), PATIENCE)
        self.stream = self.socket.makefile("rb")
        self.numbers = count()
        self.receive()  # its greeting
        told = self.call("NewSession", timeouts={"script": 1000 * PATIENCE})
        self.version = told["capabilities"]["browserVersion"]
        self.goto("about:blank")

    def receive(self):
        """Return one message: its length in decimal digits, a colon, and JSON."""
        digits = b""
        while (byte := self.stream.read(1)) != b":":
            if not byte:
                raise ConnectionError("Firefox has ended")
            digits += byte
        return json.loads(self.stream.read(int(digits)))

    def call(self, command, **parameters):
        """Return what Firefox answers to a command of WebDriver."""
        message = json.dumps([0, next(self.numbers), f"WebDriver:{command}", parameters]).encode()
        self.socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self.receive()
        if error:
            raise RuntimeError(f"{error['error']}: {error['message']}")
        return result

    def goto(self, address):
        """Open a page, and wait until it is loaded."""
        self.call("Navigate", url=address)

    def evaluate(self, script, argument=None):
        """Return what a script gives on the page; a function is called with the argument."""
        answer = self.call("ExecuteAsyncScript", script=RUN, args=[script, json.dumps(argument)])
        if not answer["value"].startswith("{"):
            raise RuntimeError(answer["value"])
        return json.loads(answer["value"]).get("found")

    def add_script_tag(self, content):
        """Run a script on the page, as if it stood there."""
        self.evaluate(
            "(text) => { document.head.append(Object.assign(document.createElement('script'), { text })); }",
            content,
        )

    def press(self, selector, keys):
        """Press keys on the part of the page that a selector finds; U+E014 is the right arrow."""
        found = self.call("FindElement", using="css selector", value=selector)["value"]
        (element,) = found.values()
        self.call("ElementSendKeys", id=element, text=keys)

    def close(self):
        """End Firefox, and forget its profile."""
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
