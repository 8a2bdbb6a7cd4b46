"""Each line of the desk's security list, attacked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from desk.folders import PORT, Browser, desk_of, put
from safelight.desk.app import Desk, application

CLIP_PATHS = ["", "/plan", "/queue", "/times", "/frames/0", "/thumbs/head-1/3", "/film/0", "/sound", "/peaks", "/copy"]
WRITES = ["/hold", "/edits", "/undo", "/redo", "/seen", "/copy", "/film/0", "/signature", "/publication", "/original"]


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", "[::1]:8123", ""])
def test_another_host_name_is_refused(browser: Browser, host: str) -> None:
    """DNS rebinding: the page of a stranger's name that points to this machine sends that name."""
    assert browser.get("/api/session", headers={"host": host}).status_code == 421
    assert browser.get("/start", params={"token": "x"}, headers={"host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"https://127.0.0.1:{PORT}", "http://127.0.0.1:1"])
def test_another_origin_is_refused(browser: Browser, origin: str) -> None:
    assert browser.get("/api/session", headers={"origin": origin}).status_code == 403
    assert browser.post(browser.first() + "/hold", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_that_the_browser_marks_as_foreign_are_refused(browser: Browser, site: str) -> None:
    assert browser.get("/api/session", headers={"sec-fetch-site": site}).status_code == 403


def test_a_start_token_works_once(desk: Desk) -> None:
    first = Browser(desk)
    again = Browser(desk, enter=False)
    assert again.get("/start", params={"token": first.token}).status_code == 403
    assert again.get("/start", params={"token": "guess"}).status_code == 403
    assert again.get("/start").status_code == 403
    assert again.get("/api/session").status_code == 401


def test_a_used_token_is_followed_by_a_new_one(desk: Desk) -> None:
    used: list[str] = []
    desk.sessions.used = lambda: used.append("used")
    Browser(desk)
    assert used == ["used"]


def test_the_cookie_is_strict_and_out_of_reach_of_scripts(desk: Desk) -> None:
    browser = Browser(desk, enter=False)
    cookie = browser.get("/start", params={"token": browser.token}).headers["set-cookie"].lower()
    assert "samesite=strict" in cookie
    assert "httponly" in cookie
    assert "expires" not in cookie
    assert "max-age" not in cookie


def test_nothing_is_told_without_a_session(desk: Desk) -> None:
    clip = Browser(desk).first()
    stranger = Browser(desk, enter=False)
    for path in ["/", "/assets/desk.js", "/api/session", "/api/clips", *(clip + path for path in CLIP_PATHS)]:
        assert stranger.get(path).status_code == 401, path
    stranger.cookies.set(f"safelight-desk-{PORT}", "guess")
    assert stranger.get("/api/clips").status_code == 401


def test_writing_needs_the_secret_of_the_page(browser: Browser) -> None:
    clip = browser.first()
    for wrong in ("", "guess"):
        for path in WRITES:
            assert browser.post(clip + path, headers={"x-safelight": wrong}, json={}).status_code == 403
        assert browser.delete(clip + "/hold", headers={"x-safelight": wrong}).status_code == 403
        assert browser.post("/api/session", headers={"x-safelight": wrong}, json={"name": "x"}).status_code == 403
    for method in ("PUT", "PATCH"):
        assert browser.request(method, clip + "/plan", headers={"x-safelight": ""}).status_code == 403
        assert browser.request(method, clip + "/plan").status_code == 405


def test_one_browser_cannot_use_the_secret_of_another(desk: Desk) -> None:
    first, second = Browser(desk), Browser(desk)
    theirs = {"x-safelight": second.headers["x-safelight"]}
    assert first.post(first.first() + "/hold", headers=theirs).status_code == 403


def test_every_answer_forbids_storing_framing_and_loading_from_elsewhere(browser: Browser) -> None:
    clip = browser.first()
    paths = ["/", "/assets/desk.js", "/nothing", "/api/session", *(clip + path for path in CLIP_PATHS)]
    answers = [browser.get(path) for path in paths] + [browser.get("/", headers={"host": "evil"})]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self';"), answer.url
        assert "unsafe" not in policy
        assert "*" not in policy
        assert answer.headers["cache-control"] == "no-store", answer.url
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


def test_the_page_names_nothing_outside_and_holds_no_inline_script(browser: Browser) -> None:
    page = browser.get("/").text
    assert re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(address.startswith("/assets/") for address in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert not re.search(r"<script(?![^>]*src=)", page)
    assert "style=" not in page
    script = browser.get("/assets/desk.js").text
    assert not re.search(r"https?://(?!www\.w3\.org/)", script)
    assert not re.search(r"\beval\(|new Function", script)
    for source in (Path(__file__).parents[2] / "frontend" / "src").glob("*.ts*"):
        assert not re.search("innerHTML|outerHTML|insertAdjacentHTML|document.write", source.read_text(), re.I), source


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/assets/../../folder.py",
        "/assets/..%2f..%2ffolder.py",
        "/assets/%2e%2e/%2e%2e/folder.py",
        "/assets/%2fetc%2fpasswd",
        "/assets/..\\folder.py",
        "/api/clips/..%2f..%2fetc%2fpasswd/plan",
        "/api/clips/%2e%2e/plan",
        "/api/clips/clip/plan",
        "/api/clips/clip.safelight-plan.json/plan",
        "//etc/passwd",
    ],
)
def test_no_path_leads_out(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_bodies_are_small_and_nothing_can_be_uploaded(browser: Browser) -> None:
    clip = browser.first()
    assert browser.post(clip + "/edits", content=b"x" * (2 << 20)).status_code == 413
    files = {"file": ("plan.json", b"{}")}
    assert browser.post(clip + "/edits", files=files).status_code == 422


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "'\"><script>alert(1)</script>",
    "a\u202egpj.exe",
    "{{7*7}}",
    "line\nbreak",
    "‏سوريا",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_name_is_one_line_of_text(tmp_path: Path, name: str) -> None:
    put(tmp_path, name.replace("/", "∕"), frames=4)
    desk = desk_of(tmp_path)
    try:
        browser = Browser(desk)
        answer = browser.get("/api/clips")
        assert answer.headers["content-type"] == "application/json"
        shown = answer.json()["clips"][0]["name"]
        assert all(c.isprintable() for c in shown)
        assert browser.get(browser.first() + "/frames/0").status_code == 200
    finally:
        desk.close()


def test_hostile_names_and_reasons_stay_text(browser: Browser) -> None:
    clip = browser.first()
    nasty = "<script>alert(1)</script>"
    assert browser.post("/api/session", json={"name": nasty}).json()["name"] == nasty
    assert browser.post("/api/session", json={"name": "a\nb"}).status_code == 422
    browser.post(clip + "/hold").raise_for_status()
    version = browser.get(clip + "/plan").json()["version"]
    edited = browser.edit(clip, version, op="decide", regions=["head-1"], decision="reveal", reason=nasty)
    assert edited.json()["delta"]["regions"][0]["after"]["reason"] == nasty
    assert edited.headers["content-type"] == "application/json"


def test_the_application_is_always_guarded(desk: Desk) -> None:
    assert type(application(desk, PORT)).__name__ == "Guard"
