"""Downloads, against a server of our own: what is wrong never gets the file's name."""

import gzip
import hashlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cae_np.data import sources
from cae_np.data.sources import Source, download
from cae_np.errors import DataError

CONTENT = bytes(range(256)) * 40
ROOT = Path(__file__).parents[2]


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.pages``: path -> (bytes, the length to announce); stops while
    ``server.open`` is not set."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path not in self.server.pages:
            self.send_error(404)
            return
        body, length = self.server.pages[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        try:
            self.wfile.write(body[:99])
            self.wfile.flush()
            self.server.open.wait(30)
            self.wfile.write(body[99:])
        except ConnectionError:
            pass  # a client that has seen enough hangs up

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.pages, server.asked = {}, []
        server.open = threading.Event()  # until then pages stop after 99 bytes
        server.open.set()
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def serve(path, body, length=None):
            server.pages[path] = body, len(body) if length is None else length
            return f"http://127.0.0.1:{server.server_address[1]}{path}"

        server.serve = serve
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def dead_url():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    return f"http://127.0.0.1:{port}/file.gz"


def source(*urls, content=CONTENT, unpacked=True):
    return Source("file.gz", len(content), hashlib.md5(content).hexdigest(), unpacked, urls)


def test_other_digests_than_md5(server, tmp_path):
    good = server.serve("/good", CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    right = Source("file.gz", len(CONTENT), digest, True, (good,), "sha256")
    assert download(right, tmp_path).read_bytes() == CONTENT
    wrong = Source("file.gz", len(CONTENT), digest[::-1], True, (good,), "sha256")
    with pytest.raises(DataError, match=f"sha256 {digest} of"):
        download(wrong, tmp_path / "other")


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_first_mirror_dead_second_right(server, dead_url, tmp_path):
    good = server.serve("/good", gzip.compress(CONTENT))
    path = download(source(dead_url, good), tmp_path / "mnist")
    assert path == tmp_path / "mnist" / "file.gz"
    assert gzip.decompress(path.read_bytes()) == CONTENT
    assert names(path.parent) == ["file.gz"]


def test_the_first_mirror_is_enough(server, tmp_path):
    urls = [server.serve(f"/{i}", gzip.compress(CONTENT)) for i in range(2)]
    download(source(*urls), tmp_path)
    assert server.asked == ["/0"]


def test_unpacked_content_is_what_counts(server, tmp_path):
    # Other compression, or none at all because the web server unpacked it.
    for i, body in enumerate([gzip.compress(CONTENT, 1), CONTENT]):
        download(source(server.serve(f"/{i}", body)), tmp_path / str(i))
    # An archive is verified as it is.
    body = gzip.compress(CONTENT)
    url = server.serve("/archive", body)
    download(source(url, content=body, unpacked=False), tmp_path)
    with pytest.raises(DataError):
        download(source(url, unpacked=False), tmp_path / "no")


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "its content is not the file's"),
        (b"<html>404</html>", "its content is not the file's"),
        (gzip.compress(CONTENT[:-1] + b"!"), "its content is not the file's"),
        (gzip.compress(CONTENT + b"!"), "its content is not the file's"),
        (gzip.compress(bytes(50_000_000)), "its content is not the file's"),
        (gzip.compress(CONTENT)[:-9], "its content is damaged"),
        (gzip.compress(CONTENT) + b"trailing", "its content is damaged"),
        (bytes(3 << 20), "more than the file can have"),
    ],
)
def test_wrong_content_is_refused(server, tmp_path, body, reason):
    bad, good = server.serve("/bad", body), server.serve("/good", gzip.compress(CONTENT))
    with pytest.raises(DataError, match=f"no mirror gave file.gz .*/bad: .*{reason}.*by hand"):
        download(source(bad), tmp_path)
    assert names(tmp_path) == []
    download(source(bad, good), tmp_path)
    assert names(tmp_path) == ["file.gz"]


def test_a_missing_page_and_a_broken_connection(server, dead_url, tmp_path):
    body = gzip.compress(CONTENT)
    missing = server.serve("/", b"").replace("/", "/nowhere", 3).replace("/nowhere", "/", 2)
    cut = server.serve("/cut", body[:100], length=len(body))
    with pytest.raises(DataError) as caught:
        download(source(dead_url, missing, cut), tmp_path)
    for url in (dead_url, missing, cut):
        assert url in str(caught.value)
    assert "404 Not Found" in str(caught.value) and "\n" not in str(caught.value)
    assert "refused" in str(caught.value)  # the dead one, as the system calls it, and no more
    assert "HTTPConnectionPool" not in str(caught.value) and len(str(caught.value)) < 500
    assert names(tmp_path) == []


def test_an_interrupted_download_starts_again(server, tmp_path, monkeypatch):
    good = server.serve("/good", gzip.compress(CONTENT))
    write = sources._BoundedSink.write

    def interrupted(self, chunk):
        write(self, chunk[:10])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sources._BoundedSink, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            download(source(good), tmp_path)
    assert names(tmp_path) == []
    download(source(good), tmp_path)
    assert names(tmp_path) == ["file.gz"]


def test_several_at_once_fetch_it_once(server, tmp_path):
    good = server.serve("/good", gzip.compress(CONTENT))
    server.open.clear()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(download, source(good), tmp_path) for _ in range(4)]
        stop = time.monotonic() + 30
        while not server.asked and time.monotonic() < stop:
            time.sleep(0.01)
        server.open.set()
        paths = {future.result(timeout=30) for future in futures}
    assert paths == {tmp_path / "file.gz"} and names(tmp_path) == ["file.gz"]
    assert server.asked == ["/good"]
    assert gzip.decompress((tmp_path / "file.gz").read_bytes()) == CONTENT


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_whoever_waits_for_a_process_that_is_killed_goes_on(server, tmp_path):
    wanted = source(server.serve("/good", gzip.compress(CONTENT)))
    program = (
        f"from cae_np.data.sources import Source, download\ndownload({wanted!r}, {str(tmp_path)!r})"
    )

    def begin():
        command = [sys.executable, "-c", program]
        return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)

    server.open.clear()
    with begin() as first, begin() as second:
        while not (server.asked and names(tmp_path)):
            time.sleep(0.01)
        waiting, _, _ = select.select([first.stderr, second.stderr], [], [], 30)
        assert "another process is at work on file.gz; waiting" in waiting[0].readline()
        waits, fetches = (first, second) if waiting == [first.stderr] else (second, first)
        fetches.kill()
        fetches.wait()
        assert len(names(tmp_path)) == 1 and names(tmp_path)[0].startswith(".file.gz.")
        server.open.set()
        assert waits.wait(timeout=30) == 0
    assert names(tmp_path) == ["file.gz"] and server.asked == ["/good"] * 2


def test_a_disk_that_refuses_is_not_a_mirror_that_fails(server, tmp_path):
    good = server.serve("/good", gzip.compress(CONTENT))
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        download(source(good), tmp_path / "file")
    assert server.asked == []


def test_progress_is_for_terminals(server, tmp_path, monkeypatch, capsys):
    good = server.serve("/good", gzip.compress(CONTENT))
    download(source(good), tmp_path)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    download(source(good), tmp_path / "other")
    assert "100%" in capsys.readouterr().err


def test_the_table():
    table = [*sources.MNIST.values(), sources.CIFAR10, *sources.NORB.values()]
    assert len({source.digest for source in table}) == 11
    for source in table:
        assert len(source.digest) == 2 * hashlib.new(source.algorithm).digest_size
        assert len(set(source.urls)) >= 2
        assert all(u.startswith("https://") and u.endswith("/" + source.name) for u in source.urls)
