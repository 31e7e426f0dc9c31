"""Debian's Chromium with our development authority in its store, driven by Playwright."""
import os
import subprocess

from playwright.sync_api import Error as PlaywrightError

from .basics import program


def trusting_home(folder, *authorities):
    """A home folder in which Chromium trusts these authorities and nothing else is changed."""
    certutil = program("certutil", "libnss3-tools")
    store = folder / ".pki/nssdb"
    store.mkdir(parents=True)
    for words in (["-N", "--empty-password"],
                  *(["-A", "-t", "C,,", "-n", str(one), "-i", str(one)] for one in authorities)):
        subprocess.run([certutil, "-d", f"sql:{store}", *words], check=True)
    return folder


launched = []


def launch(kind, home):
    """`kind` is Playwright's Chromium."""
    browser = kind.launch(
        executable_path=program("chromium", "chromium"),
        args=["--no-sandbox", "--disable-dev-shm-usage"], env={**os.environ, "HOME": str(home)})
    launched.append(browser)
    return browser


def open_pages():
    """What every page that is open shows: its address, without a query, and its words."""
    pages = [page for browser in launched if browser.is_connected()
             for context in browser.contexts for page in context.pages]
    return [f"{page.url.partition('?')[0]}\n{page.locator('body').inner_text(timeout=2000)[:1500]}"
            for page in pages]


def fill_keycloak_form(page, user, password=None):
    page.wait_for_selector("#username", timeout=20_000)
    page.fill("#username", user)
    page.fill("#password", password or f"{user}-pw")
    page.click("#kc-login")


def open_notebook(page):
    """From JupyterLab's launcher to a new notebook with a kernel."""
    page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click(timeout=60_000)


def choose_kernel(page):
    """JupyterLab asks for a kernel where it shows a notebook before it knows which there are, as on
    a busy machine. Takes the one of the notebook; false where it asks nothing of the kind."""
    question = page.locator(".jp-Dialog", has_text="Select kernel for")
    if not question.count():
        return False
    question.locator("select").first.select_option(label="Python 3 (ipykernel)")
    question.locator("button.jp-mod-accept").click()
    return True


def run_in_notebook(page, code, wanted):
    """Writes this code into the notebook's first cell, as a person does, and runs it."""
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    output = page.locator(".jp-OutputArea-output", has_text=wanted).first
    for attempt in range(6):      # JupyterLab loses keys while it still arranges a new notebook
        try:
            cell.click(timeout=10_000)
        except PlaywrightError as error:
            if choose_kernel(page):
                continue
            said = page.locator(".jp-Dialog").all_inner_texts()
            if said or attempt == 5:
                raise AssertionError(f"JupyterLab asks: {said}") from error
            continue
        if cell.inner_text().strip() != code:
            page.keyboard.press("Control+A")
            page.keyboard.type(code)
        page.keyboard.press("Control+Enter")
        try:
            output.wait_for(timeout=10_000)
            return
        except Exception:
            if attempt == 5:
                raise
