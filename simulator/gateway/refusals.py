"""Every reply that is not data: 401, 404, redirects and the pages that proxies put in between."""

from simulator.gateway.device import Device
from simulator.web.messages import Response

_HTML = "text/html"
# From here on the 401 page sends the browser to /login.html instead of /home.
_LOGIN_PAGE_SINCE = (8, 3, 5169)


def _make_page(title: str, extra: str = "") -> bytes:
    return (
        f"<html>\r\n<head><title>{title}</title>{extra}</head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>openresty/1.17.8.1</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def answer_unauthorised(device: Device, challenge: str | None = None, *, login_page: bool = False) -> Response:
    """401 as this firmware says it; with a challenge it asks for a digest login."""
    headers = () if challenge is None else (("WWW-Authenticate", challenge),)
    if not device.profile.uses_tokens:
        return Response(401, b"<html><body><h2>401 Unauthorized</h2></body></html>\n", _HTML, headers)
    to_login = login_page or device.profile.version >= _LOGIN_PAGE_SINCE
    target = "/login.html" if to_login else "/home"
    script = f'<script>window.location.replace("{target}")</script>'
    return Response(401, _make_page("401 Authorization Required", script), _HTML, headers)


def answer_not_found(device: Device, path: str) -> Response:
    """404 in one of the two ways in which the device says so."""
    if path.startswith(("/ivp/ss/", "/ivp/sc/")) and not device.profile.uses_tokens:
        return Response(404, b' { "err": "404 - Not Found" }\n')
    return Response(404, b'{ "error" : "404 - Not Found" }', "application/json; charset=ISO-8859-4")


def redirect_to_https(host: str, target: str) -> Response:
    """The reply of port 80 from firmware 7 on."""
    return Response(301, _make_page("301 Moved Permanently"), _HTML, (("Location", f"https://{host}{target}"),))


def answer_bad_gateway() -> Response:
    """The process behind the proxy is gone."""
    return Response(502, _make_page("502 Bad Gateway"), _HTML)


def answer_starting() -> Response:
    """The device is not ready yet."""
    return Response(503, _make_page("503 Service Temporarily Unavailable"), _HTML)


def answer_web_page() -> Response:
    """200, but a page for people."""
    return Response(200, b"<!DOCTYPE html>\n<html><head><title>Enphase</title></head><body>Page</body></html>\n", _HTML)


def redirect(location: str) -> Response:
    """302 to wherever the fault says."""
    return Response(302, _make_page("302 Found"), _HTML, (("Location", location),))
