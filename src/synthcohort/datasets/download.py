"""How is one file downloaded without ever waiting long, and without keeping half of it?

Hosts are probed first, all at once and for at most two seconds, and an unreachable one is not tried again, so a machine
without a network learns so at once. What comes is held in memory (the tables are a few megabytes) and is handed on only
when it is as long as the server announced; a zip archive is opened and one member taken out of it, and a file whose
name ends in .gz is unpacked.
"""

from __future__ import annotations

import gzip
import http.client
import io
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Iterable

from tqdm import tqdm

SECONDS = 20.0
PROBE_SECONDS = 2.0
MOST_BYTES = 64 * 2**20
_CHUNK = 2**16


class DownloadError(Exception):
    """A URL did not give the file, for the stated reason."""


class Hosts:
    """What is known about the hosts of this run: each is probed once.

    Attributes:
        unreachable: host -> why it cannot be reached.
    """

    def __init__(self) -> None:
        self.unreachable: dict[str, str] = {}
        self._probed: set[str] = set()

    def probe(self, urls: Iterable[str]) -> None:
        """Probe, at once and for at most `PROBE_SECONDS`, the hosts of `urls` that were not probed before."""
        threads = []
        for url in sorted(urls):
            host = _host(url)
            if host in self._probed:
                continue
            self._probed.add(host)
            self.unreachable[host] = f"no answer within {PROBE_SECONDS:g} s"
            threads.append(threading.Thread(target=self._try, args=(url,), daemon=True))
        for thread in threads:
            thread.start()
        end = time.monotonic() + PROBE_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _try(self, url: str) -> None:
        host = _host(url)
        try:
            socket.create_connection(_address(url), timeout=PROBE_SECONDS).close()
        except OSError as error:
            self.unreachable[host] = str(error)
        else:
            self.unreachable.pop(host, None)


def fetch(url: str, member: str = "", *, label: str, hosts: Hosts) -> bytes:
    """Return the file at `url`, unpacked if it ends in .gz, or the member `member` of the zip archive there.

    Args:
        label: what the progress bar is called.
        hosts: a host found unreachable here is not tried again.

    Raises:
        DownloadError: naming the URL and what went wrong.
    """
    hosts.probe([url])
    host = _host(url)
    if host in hosts.unreachable:
        raise DownloadError(f"{host} cannot be reached ({hosts.unreachable[host]})")
    try:
        content = _stream(url, label)
    except urllib.error.HTTPError as error:
        raise DownloadError(f"{url} answers {error.code} {error.reason}") from None
    except http.client.HTTPException as error:
        raise DownloadError(f"{url} broke off ({error})") from None
    except OSError as error:
        hosts.unreachable[host] = str(error)
        raise DownloadError(f"{url} broke off ({error})") from None
    if member:
        return _member(url, content, member)
    return _unpacked(url, content) if url.endswith(".gz") else content


def _stream(url: str, label: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "synthcohort"})
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        announced = response.headers.get("Content-Length")
        total = int(announced) if announced else None
        parts = []
        with tqdm(total=total, desc=label, unit="B", unit_scale=True, unit_divisor=1024, leave=False) as bar:
            while chunk := response.read(_CHUNK):
                parts.append(chunk)
                bar.update(len(chunk))
                if bar.n > MOST_BYTES:
                    raise DownloadError(f"{url} sends more than {MOST_BYTES} bytes")
    content = b"".join(parts)
    if total is not None and len(content) != total:
        raise DownloadError(f"{url} broke off after {len(content)} of {total} bytes")
    return content


def _member(url: str, content: bytes, member: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.getinfo(member).file_size > MOST_BYTES:
                raise DownloadError(f"{url}: {member} is larger than {MOST_BYTES} bytes")
            return archive.read(member)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise DownloadError(f"{url} is not a sound zip archive ({error})") from None
    except KeyError:
        raise DownloadError(f"{url} has no member {member}") from None


def _unpacked(url: str, content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            whole = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DownloadError(f"{url} is not a sound gzip file ({error})") from None
    if len(whole) > MOST_BYTES:
        raise DownloadError(f"{url} unpacks to more than {MOST_BYTES} bytes")
    return whole


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _address(url: str) -> tuple[str, int]:
    """Return where a connection for `url` is opened: the proxy's address if there is one for it."""
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
