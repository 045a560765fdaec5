"""One HTTP request, bounded in time and bytes, to the server's own origin and nowhere else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from adapter.errors import Unavailable, UnknownOutcome, UsageError
from adapter.exchange.auth import ClientCertificate, Credentials
from adapter.exchange.limits import Limits
from adapter.exchange.links import is_loopback, same_origin
from adapter.exchange.pacing import Pace, Sick, retry_after
from adapter.exchange.sockets import Call, DeadlineAdapter, under
from adapter.ports import Clock

# urllib3 writes every URL at level DEBUG, and a search holds a patient's identifiers.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)

_CHUNK = 64 * 1024
_LONGEST_REST = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (names in lower case), the body's bytes, and what was asked, for messages.

    Of a body that says no in another form than JSON, only its first byte is kept.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    place: str
    write: bool

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: `place` names it in messages, without its query; `write` says that it may change something."""

    method: str
    url: str
    place: str
    write: bool = False
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class _Sign(AuthBase):
    """Sets Authorization at home only. That it is always given also keeps a .netrc from being read."""

    def __init__(self, base: str, credentials: Credentials | None) -> None:
        self._base = base
        self._credentials = credentials
        self._local = threading.local()

    @property
    def sent(self) -> str:
        """The header that this thread sent last."""
        return getattr(self._local, "header", "")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._credentials is not None and same_origin(self._base, request.url or ""):
            self._local.header = request.headers["Authorization"] = self._credentials.header()
        return request


class Transport:
    """Sends requests to one server. Connections are kept; cookies and redirects are not."""

    def __init__(
        self,
        base: str,
        *,
        auth: Credentials | None,
        clock: Clock,
        limits: Limits,
        user_agent: str,
        tls: ClientCertificate | None = None,
        pace: Pace | None = None,
    ) -> None:
        if auth is not None and base.startswith("http:") and not is_loopback(base):
            raise UsageError("Credentials are not sent over plain http.", place=base, remedy="Use the https address.")
        self.base = base
        self.limits = limits
        self._clock = clock
        self._credentials = auth
        self._auth = _Sign(base, auth)
        self._pace = pace
        # What is on this machine is not to be had by way of a proxy; other hosts follow the environment.
        self._proxies = {"http": "", "https": ""} if is_loopback(base) else {}
        self._session = requests.Session()
        if tls is not None and tls.certificate is not None:
            self._session.cert = (str(tls.certificate), str(tls.key or tls.certificate))
        # Said with each request: what the session says, the environment (REQUESTS_CA_BUNDLE) overrules.
        self._authorities = str(tls.ca) if tls is not None and tls.ca is not None else None
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, DeadlineAdapter())
        self._session.headers.clear()
        # On this machine too: what HAPI does not compress it sends in chunks of fifty bytes, which take twenty times as long.
        self._session.headers.update(
            {"Accept": "application/fhir+json", "Accept-Encoding": "gzip", "User-Agent": user_agent}
        )

    def send(self, request: Request) -> Answer:
        """The answer, whatever its status.

        Raises Unavailable where nothing was sent or only a read was asked, else UnknownOutcome.
        """
        if not same_origin(self.base, request.url):
            raise Unavailable("A request to a foreign origin was not sent.", place=request.place)
        answer = self._paced(request)
        if answer.status == 401 and self._credentials is not None and self._credentials.renew(self._auth.sent):
            # A token that ran out while the call was under way: nothing was done, one new one is tried.
            answer = self._paced(request)
        return answer

    def _paced(self, request: Request) -> Answer:
        pace = self._pace
        return self._whole(request) if pace is None else pace.turn(lambda: self._watched(pace, request), request.place)

    def _watched(self, pace: Pace, request: Request) -> Answer:
        answer = self._whole(request)
        wait = retry_after(answer.headers.get("retry-after", ""), self._clock) if answer.status in {429, 503} else None
        if wait:
            pace.rest_for(min(wait, _LONGEST_REST))
        # A fault that the server tells in FHIR is about this request; others are about the server.
        if answer.status in {502, 503, 504} or (answer.status >= 500 and "json" not in answer.media_type):
            raise Sick(answer)
        return answer

    def _whole(self, request: Request) -> Answer:
        call = Call(self._clock, self.limits.seconds)
        try:
            with under(call):
                return self._send(call, request)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _failure(error, request.place, sent=call.sent, unknown=request.write and call.sent) from None

    def _send(self, call: Call, request: Request) -> Answer:
        left = call.left()
        response = self._session.request(
            request.method,
            request.url,
            data=request.body,
            headers=dict(request.headers),
            auth=self._auth,
            proxies=self._proxies,
            verify=self._authorities,
            timeout=(min(self.limits.connect_seconds, left), left),
            allow_redirects=False,
            stream=True,
        )
        found = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status_code, found, b"", request.place, request.write)
        # Jetty refuses a long request line with a page and closes without saying so: a connection with such an answer
        # is not used again. Of the page only matters that there is one.
        spent = answer.status >= 400 and "json" not in answer.media_type
        done = False
        try:
            body = response.raw.read(1) if spent else self._body(response, request, call)
            done = not spent
        finally:
            if not done:
                response.raw.close()
            response.close()
        return replace(answer, body=body)

    def _body(self, response: requests.Response, request: Request, call: Call) -> bytes:
        parts, size = [], 0
        for part in response.raw.stream(_CHUNK, decode_content=True):
            size += len(part)
            if size > self.limits.size:
                message = f"The server's answer is larger than {self.limits.size} bytes; it was not read further."
                raise (UnknownOutcome if request.write else Unavailable)(message, place=request.place)
            parts.append(part)
            call.left()
        return b"".join(parts)

    def close(self) -> None:
        """Closes the connections that were kept."""
        self._session.close()


def _failure(error: Exception, place: str, *, sent: bool, unknown: bool) -> Unavailable:
    """The error of ours for one of the network; its text is ours too, as theirs repeats the URL with its query."""
    if isinstance(error, requests.exceptions.SSLError):
        message, remedy = "The server's certificate could not be verified.", "TLS is always checked."
    elif isinstance(error, (requests.Timeout, TimeoutError)) or "timed out" in str(error):
        message, remedy = "The server did not answer in time.", "Try again later."
    elif isinstance(error, requests.exceptions.InvalidHeader | requests.exceptions.InvalidURL):
        message, remedy = "The request could not be put together.", ""
    elif sent or isinstance(error, HTTPError):
        message, remedy = "The connection broke before the answer was complete.", "Try again later."
    else:
        message, remedy = "The server could not be reached.", "Check its address, and whether it runs."
    if unknown:
        message = message.removesuffix(".") + "; whether the write took effect is not known."
        return UnknownOutcome(message, place=place, remedy="Look at the server before sending it again.")
    return Unavailable(message, place=place, remedy=remedy)
