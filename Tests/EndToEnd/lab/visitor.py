"""A person at JupyterLab in a real browser."""
import time

from .basics import wait_until

# Notes what a page ever showed, however briefly.
NOTE_WORDS = """
window.words = "";
new MutationObserver(changes => {
  for (const change of changes) {
    if (change.type === "characterData") window.words += "\\n" + change.target.data;
    for (const node of change.addedNodes) window.words += "\\n" + (node.textContent || "");
  }
}).observe(document, {childList: true, subtree: true, characterData: true});
"""


class Visitor:
    """A person in a browser of their own."""

    def __init__(self, browser, hub, user):
        self.hub, self.user, self.base = hub, user, hub.user_url(user)
        self.context = browser.new_context(accept_downloads=True)
        self.context.set_default_timeout(30_000)
        self.context.add_init_script(NOTE_WORDS)
        self.page = self.context.new_page()
        self.answers, self.sockets = [], []
        self.page.on("response", lambda answer: self.answers.append(
            (answer.url, answer.status, answer.headers.get("retry-after"))))
        self.page.on("websocket", lambda socket: self.sockets.append(Socket(socket)))

    def await_lab(self):
        self.page.wait_for_url(f"**/user/{self.user}/lab**", timeout=90_000)

    def wait_until(self, condition, seconds, what):
        """As wait_until, while Playwright hears what the page does."""
        return wait_until(lambda: self.page.wait_for_timeout(50) or condition(), seconds, what)

    def open_terminal(self):
        """From anywhere in JupyterLab to a terminal with a prompt."""
        self.page.keyboard.press("Control+Shift+L")
        self.page.locator(
            '.jp-LauncherCard[title="Start a new terminal session"]').last.click()
        self.wait_until(lambda: (socket := self.socket("/terminals/websocket/"))
                        and "stdout" in socket.text, 30, "the terminal's prompt")

    def type(self, line, wanted):
        """Types a line into the newest terminal; what is wanted must then be read in it."""
        self.page.locator(".jp-Terminal .xterm").last.click()
        self.page.keyboard.type(line + "\n")
        self.wait_until(lambda: wanted in self.socket("/terminals/websocket/").text, 20,
                        "its answer")

    def socket(self, part):
        """The newest WebSocket whose address has this part."""
        return next((one for one in reversed(self.sockets) if part in one.url), None)


class Socket:
    """A WebSocket of a page."""

    def __init__(self, socket):
        self.url, self.closed_at, self.text = socket.url, None, ""
        socket.on("close", lambda _: setattr(self, "closed_at", time.monotonic()))
        socket.on("framereceived", self._note)

    @property
    def closed(self):
        return self.closed_at is not None

    def _note(self, frame):
        if isinstance(frame, str):
            self.text += frame
