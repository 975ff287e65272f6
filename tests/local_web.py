"""A small web server on this machine: a record of Zenodo with its files, and the faults of real servers and lines."""

import contextlib
import hashlib
import io
import json
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Web:
    """What is served, the faults to come, and what was asked for.

    Attributes
    ----------
    url : str
        Address of the server, without a slash at the end.
    files : dict of str to bytes
        Content by path.
    faults : dict of str to list
        By path, what goes wrong with the next requests, in order; None is no fault:
        ``{"status": 500, "headers": {...}}``, ``{"cut": n}`` (n bytes, then the line is dead), ``{"stall": n}`` (n
        bytes, then nothing comes), ``{"ignore_range": True}``, ``{"range_from": n}`` (another stretch than asked for),
        ``{"no_length": True}`` (no Content-Length).
    asked : list of (str, str or None, str)
        Path, Range and User-Agent of each request.
    """

    def __init__(self):
        self.files, self.faults, self.asked = {}, {}, []
        self.released = threading.Event()
        self.stalling = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Stop serving."""
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def ranges(self, path):
        """Range of each request for a path."""
        return [stretch for asked, stretch, _ in self.asked if asked == path]

    def add_record(self, number, archives, *, licence="cc-by-4.0", checksums=None, layout="list"):
        """Serve a record with these archives (name to bytes) as Zenodo does; gives its address."""
        entries = []
        for name, content in archives.items():
            path = f"/api/records/{number}/files/{name}/content"
            self.files[path] = content
            checksum = (checksums or {}).get(name) or hashlib.md5(content).hexdigest()
            link = {"self" if layout == "list" else "content": self.url + path}
            entries.append(
                {"id": name, "key": name, "size": len(content), "checksum": f"md5:{checksum}", "links": link}
            )
        about = {"title": "A corpus", "creators": [{"name": "Doe, Jane"}], "license": {"id": licence}}
        files = (
            entries if layout == "list" else {"enabled": True, "entries": {entry["key"]: entry for entry in entries}}
        )
        record = {"id": number, "doi": f"10.5281/zenodo.{number}", "metadata": about, "files": files}
        self.files[f"/api/records/{number}"] = json.dumps(record).encode()
        return f"{self.url}/api/records/{number}"

    def _handler(self):
        web = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                asked = self.headers.get("Range")
                web.asked.append((self.path, asked, self.headers.get("User-Agent")))
                queue = web.faults.get(self.path, [])
                fault = (queue.pop(0) if queue else None) or {}
                content = web.files.get(self.path)
                if "status" in fault or content is None:
                    self.send_response(fault.get("status", 404))
                    for name, value in fault.get("headers", {}).items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                match = re.fullmatch(r"bytes=(\d+)-", asked or "")
                start = int(match[1]) if match and not fault.get("ignore_range") else 0
                if start >= len(content) > 0:
                    self.send_response(416)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                start = fault.get("range_from", start)
                body = content[start:]
                self.send_response(206 if start or "range_from" in fault else 200)
                if start or "range_from" in fault:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                if not fault.get("no_length"):
                    self.send_header("Content-Length", str(len(body)))
                self.send_header("Accept-Ranges", "none")  # as Zenodo says, though it serves stretches
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body[: fault.get("cut", fault.get("stall", len(body)))])
                    self.wfile.flush()
                    if "stall" in fault:
                        web.stalling.set()
                        web.released.wait(60)
                self.close_connection = True

        return Handler


@contextlib.contextmanager
def local_web():
    """A `Web` that ends with the block."""
    web = Web()
    try:
        yield web
    finally:
        web.close()


def zipped(files):
    """A zip archive (bytes) of name to content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
