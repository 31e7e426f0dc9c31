"""The whole way: a deep link, Keycloak's form, JupyterLab, a cell over its WebSocket, sign-out."""
import time

from lab.basics import wait_until
from lab.chromium import fill_keycloak_form, open_notebook, run_in_notebook
from lab.client import SESSION, Client

# Opens a kernel's and a terminal's WebSocket, an event stream and a download from within the page,
# and notes the wall clock when each ends.
OPEN_EVERYTHING = """
async (user) => {
  window.ended = {};
  window.seen = {};
  const note = name => { if (!(name in window.ended)) window.ended[name] = Date.now(); };
  const xsrf = (document.cookie.match(/(?:^|; )_xsrf=([^;]*)/) || [])[1] || "";
  const post = (path, body) => fetch(path, {
    method: "POST", body: JSON.stringify(body || {}),
    headers: {"Content-Type": "application/json", "X-XSRFToken": decodeURIComponent(xsrf)},
  }).then(r => { if (!r.ok) throw new Error(path + " " + r.status); return r.json(); });
  const kernel = await post(`/user/${user}/api/kernels`, {name: "python3"});
  const terminal = await post(`/user/${user}/api/terminals`);
  const open = (name, path) => new Promise((ready, failed) => {
    const socket = new WebSocket(`wss://${location.host}${path}`);
    window[name] = socket;
    socket.onopen = () => ready();
    socket.onerror = () => failed(new Error(name));
    socket.onclose = e => { window.seen[name] = e.code; note(name); };
  });
  await open("kernel", `/user/${user}/api/kernels/${kernel.id}/channels`);
  await open("terminal", `/user/${user}/terminals/websocket/${terminal.name}`);
  await new Promise((ready, failed) => {
    const events = new EventSource("/events");
    events.onmessage = () => ready();
    events.onerror = () => { note("events"); events.close(); failed(new Error("events")); };
  });
  const answer = await fetch("/endless");
  const reader = answer.body.getReader();
  await reader.read();
  (async () => {
    try { while (!(await reader.read()).done); window.seen.download = "complete"; }
    catch (error) { window.seen.download = "cut"; }
    note("download");
  })();
  return kernel.id;
}
"""

RUN_CELL = """
(code) => new Promise((ready, failed) => {
  const id = crypto.randomUUID();
  const old = window.kernel.onmessage;
  window.kernel.onmessage = message => {
    const body = JSON.parse(message.data);
    if (body.parent_header.msg_id === id && body.msg_type === "stream") ready(body.content.text);
    if (body.parent_header.msg_id === id && body.msg_type === "error") failed(body.content.evalue);
  };
  window.kernel.send(JSON.stringify({
    header: {msg_id: id, msg_type: "execute_request", username: "", session: id, version: "5.3",
             date: new Date().toISOString()},
    parent_header: {}, metadata: {}, buffers: [], channel: "shell",
    content: {code, silent: false, store_history: false, user_expressions: {}, allow_stdin: false},
  }));
})
"""


def test_deep_link_sign_in_cell_and_sign_out(gateway, labs, fresh_sessions, context, page):
    # A deep link leads to Keycloak's form and back to where it pointed.
    page.goto(f"{gateway.url}/user/alice/lab?reset")
    assert page.url.startswith("http://127.0.0.1:"), page.url
    fill_keycloak_form(page, "alice")
    page.wait_for_url("**/user/alice/lab*")

    # One real notebook cell, as a person runs it.
    open_notebook(page)
    run_in_notebook(page, "print(6 * 7 * 100)", "4200")

    # Everything that can hang on a session, from within the same page.
    tab = page
    tab.evaluate(OPEN_EVERYTHING, "alice")
    assert tab.evaluate(RUN_CELL, "print('from', 'the kernel')").strip() == "from the kernel"
    thief = Client(gateway)
    thief.cookies["localhost"] = {
        cookie["name"]: cookie["value"] for cookie in context.cookies(gateway.url)}
    assert thief.get("/user/alice/api/kernels").status == 200

    # Sign-out by the page.
    last = context.new_page()
    last.goto(f"{gateway.url}/.gatehouse/logout")
    assert thief.get("/").status == 200, "looking at the page ends nothing"
    mark = gateway.mark()
    clicked = last.evaluate("Date.now()")
    last.locator("form button, form input[type=submit]").first.click()
    last.wait_for_url("**/.gatehouse/logged-out*", timeout=15_000)

    names = {"kernel", "terminal", "events", "download"}
    wait_until(lambda: names <= set(tab.evaluate("Object.keys(window.ended)")), 10,
               f"all ended; so far {tab.evaluate('window.ended')}")
    times = {name: at - clicked for name, at in tab.evaluate("window.ended").items()}
    print("ms from the click to the end:", times)
    assert max(times.values()) <= 3000, times
    assert tab.evaluate("window.seen") == {
        "kernel": 1008, "terminal": 1008, "download": "cut"}
    deaths = wait_until(
        lambda: len(found := gateway.deaths(mark, "/.gatehouse/logout")) >= len(names) and found,
        5, "lines of ended exchanges")
    print("ms by the gateway's own stamps:", deaths)
    assert max(after for _, after in deaths) <= 1000, deaths
    assert thief.get("/user/alice/api/kernels").status == 401, "a copied cookie is worth nothing"
    assert SESSION not in [cookie["name"] for cookie in context.cookies(gateway.url)]

    # The signed-out page stays; the way back in leads to Keycloak's form, not in by itself.
    last.wait_for_timeout(2000)
    assert "/.gatehouse/logged-out" in last.url
    last.goto(f"{gateway.url}/user/alice/lab")
    last.wait_for_selector("#username")


def test_idle_socket_lives_for_70_seconds(gateway, labs, fresh_sessions, client):
    client.sign_in("bob", "/user/bob/api")
    with client.web_socket(f"{gateway.url}/socket", ping_interval=None) as socket:
        socket.send("before")
        assert socket.recv(timeout=5) == "before"
        time.sleep(70)
        socket.send("after")
        assert socket.recv(timeout=5) == "after"
    gateway.wait_for_log(lambda log: "/socket" in log, "the exchange stands in the access log")
