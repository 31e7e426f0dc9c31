"""Our pages as a person meets them: on a phone, in the dark, with a screen reader, without scripts."""
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from lab.chromium import fill_keycloak_form


def page_addresses(gateway, context, page):
    """Opens, one after the other, every page that we answer with ourselves."""
    page.goto(f"{gateway.url}/.gatehouse/callback?error=access_denied&error_description=<b>no</b>")
    yield "callback"
    page.goto(f"{gateway.url}/.gatehouse/nothing")
    yield "404"
    page.goto(f"{gateway.url}/user/alice/api")
    fill_keycloak_form(page, "bob")
    page.wait_for_url(f"{gateway.url}/user/alice/api")
    yield "denied"
    page.goto(f"{gateway.url}/.gatehouse/logout")
    yield "sign out?"
    page.locator("form button, form input[type=submit]").first.click()
    page.wait_for_url("**/.gatehouse/logged-out*")
    yield "signed out"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_have_a_dark_variant_and_pass_axe(
        gateway, fresh_sessions, new_context, scheme):
    context = new_context(color_scheme=scheme, viewport={"width": 360, "height": 640})
    page = context.new_page()
    axe = Axe()
    for name in page_addresses(gateway, context, page):
        wide = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1] <= 360, (name, wide)
        background = page.evaluate("""() => {
            for (const node of [document.body, document.documentElement]) {
                const colour = getComputedStyle(node).backgroundColor.match(/[\\d.]+/g).map(Number);
                if (colour.length < 4 || colour[3] > 0) return (colour[0]+colour[1]+colour[2]) / 3;
            }
            return matchMedia('(prefers-color-scheme: dark)').matches &&
                getComputedStyle(document.documentElement).colorScheme.includes('dark') ? 0 : 255;
        }""")
        assert background < 90 if scheme == "dark" else background > 165, (name, background)
        found = axe.run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.lang"), name
        assert "<b>no</b>" not in page.content(), "what comes from outside is escaped"


def test_the_whole_way_without_javascript(gateway, fresh_sessions, new_context):
    context = new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{gateway.url}/plain?a=b")
    page.fill("#username", "alice")
    page.fill("#password", "alice-pw")
    page.click("#kc-login")
    page.wait_for_url(f"{gateway.url}/plain?a=b")
    page.goto(f"{gateway.url}/.gatehouse/logout")
    page.locator("form button, form input[type=submit]").first.click()
    page.wait_for_url("**/.gatehouse/logged-out*")
    page.get_by_role("link").first.click()
    page.wait_for_selector("#username")


def test_a_refusals_id_stands_in_the_log(gateway, fresh_sessions, client):
    client.sign_in("bob", "/hello")
    page = client.navigate("/user/alice/lab")
    assert page.status == 403
    text = re.sub(r"<[^>]*>", " ", page.body.decode())
    names = [name for name in re.findall(r"\b[A-Za-z0-9_-]{8,40}\b", text)
             if re.search(r"\d", name)]
    gateway.wait_for_log(lambda log: any(name in log for name in names), f"a name of {text}")
