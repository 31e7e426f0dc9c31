"""The routes API beside other listeners in `gatehouse serve`, which the originals do not have."""
import pytest

from basics import free_port, unique
from wire import Connection, request_bytes


@pytest.fixture(autouse=True)
def ours(peer):
    if peer.is_chp:
        pytest.skip("it has no such command")


def asked(address, method, target, token=None, body=b""):
    fields = [("Authorization", f"token {token}")] if token else []
    with Connection(address) as connection:
        connection.send(request_bytes(method, target, fields, body))
        return connection.answer(method)


def test_two_listeners_of_a_role_share_one_table(start, peer, backend, tmp_path):
    first = free_port(4)
    public, api = ([("127.0.0.1", first + index) for index in pair] for pair in ((0, 1), (2, 3)))
    tokens = ["the token of the first", "the token of the second"]
    tokens = [one.replace(" ", "-") for one in tokens]
    lines = ["loops: 2", "state_dir: none", "access: [{path: /**, allow: public}]", "listeners:"]
    lines += [f'  - {{address: "127.0.0.1:{port}", role: public}}' for _, port in public]
    for (_, port), token in zip(api, tokens):
        file = tmp_path / token
        file.write_text(token)
        file.chmod(0o600)
        lines.append(f'  - {{address: "127.0.0.1:{port}", role: api, token_file: {file}}}')
    settings = tmp_path / "gatehouse.yaml"
    settings.write_text("\n".join(lines) + "\n")
    proxy = start("--config", settings, command=[peer.command[0], "serve"], addresses=False, ready=False)
    for address in [*public, *api]:
        proxy.await_listening(address)

    paths = [unique(), unique()]
    body = b'{"target": "%s"}' % backend.url.encode()
    for address, token, path in zip(api, tokens, paths):
        assert asked(address, "POST", "/api/routes" + path, token, body).status == 201
    # Each API shows what the other was told, to its own token alone; each public side serves both.
    for address, token, other in zip(api, tokens, reversed(tokens)):
        assert set(asked(address, "GET", "/api/routes", token).json()) == set(paths)
        assert asked(address, "GET", "/api/routes", other).status == 403
        assert asked(address, "GET", paths[0]).status == 404
    for address in public:
        assert [asked(address, "GET", path).status for path in paths] == [200, 200]
        assert asked(address, "GET", "/api/routes", tokens[0]).status == 404
    assert len(backend.requests) == 4
    # What one API removes is gone everywhere.
    assert asked(api[1], "DELETE", "/api/routes" + paths[0], tokens[1]).status == 204
    assert set(asked(api[0], "GET", "/api/routes", tokens[0]).json()) == {paths[1]}
    assert [asked(address, "GET", paths[0]).status for address in public] == [404, 404]
