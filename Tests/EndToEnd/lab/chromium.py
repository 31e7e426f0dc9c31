"""Debian's Chromium with our development authority in its store, driven by Playwright."""
import os
import subprocess

from .basics import program


def trusting_home(folder, authority):
    """A home folder in which Chromium trusts this authority and nothing else is changed."""
    certutil = program("certutil", "libnss3-tools")
    store = folder / ".pki/nssdb"
    store.mkdir(parents=True)
    for words in (["-N", "--empty-password"],
                  ["-A", "-t", "C,,", "-n", "gatehouse", "-i", str(authority)]):
        subprocess.run([certutil, "-d", f"sql:{store}", *words], check=True)
    return folder


def launch(playwright, home):
    return playwright.chromium.launch(
        executable_path=program("chromium", "chromium"),
        args=["--no-sandbox", "--disable-dev-shm-usage"], env={**os.environ, "HOME": str(home)})


def fill_keycloak_form(page, user, password=None):
    page.wait_for_selector("#username", timeout=20_000)
    page.fill("#username", user)
    page.fill("#password", password or f"{user}-pw")
    page.click("#kc-login")
