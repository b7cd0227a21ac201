"""A headless Chromium, and a relying party's redirect address, for tests of pages.

    with browser.Browser() as b, browser.Callback() as cb:
        b.get(url)
        b.type("username", "alice")
        b.click("kc-login")
        answer = cb.wait()          # {"code": …, "state": …}
"""
import http.server
import queue
import shutil
import tempfile
import threading
import urllib.parse

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.support.ui import WebDriverWait


GOING = (NoSuchElementException, StaleElementReferenceException)      # while one page goes and the next comes


class Browser:
    """language: what Accept-Language says. scripts: whether pages may run any."""

    def __init__(self, language="en", scripts=True):
        options = webdriver.ChromeOptions()
        self.profile = tempfile.mkdtemp(prefix="dp-browser-")
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--window-size=900,900", "--user-data-dir=" + self.profile, "--lang=" + language):
            options.add_argument(argument)
        preferences = {"intl.accept_languages": language}
        if not scripts:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", preferences)
        options.binary_location = shutil.which("chromium")
        self.driver = webdriver.Chrome(options=options,
                                       service=webdriver.ChromeService(shutil.which("chromedriver")))
        self.driver.set_page_load_timeout(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def get(self, url):
        self.driver.get(url)

    @property
    def url(self):
        return self.driver.current_url

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    @property
    def page(self):
        """The page's data-page-id; None on pages that aren't ours."""
        return self.driver.find_element(By.TAG_NAME, "body").get_attribute("data-page-id")

    def find(self, element_id):
        return WebDriverWait(self.driver, 20, ignored_exceptions=GOING).until(lambda d: d.find_element(By.ID, element_id))

    def has(self, element_id):
        return bool(self.driver.find_elements(By.ID, element_id))

    def type(self, element_id, text):
        element = self.find(element_id)
        element.clear()
        element.send_keys(text)

    def click(self, element_id):
        self.find(element_id).click()

    def wait(self, text):
        """Until the page says so: a click returns before the next page is there."""
        WebDriverWait(self.driver, 20, ignored_exceptions=GOING).until(lambda d: text in d.find_element(By.TAG_NAME, "body").text)

    def wait_for(self, selector):
        return WebDriverWait(self.driver, 20, ignored_exceptions=GOING).until(
            lambda d: d.find_element(By.CSS_SELECTOR, selector))

    def wait_page(self, name):
        WebDriverWait(self.driver, 20, ignored_exceptions=GOING).until(
            lambda d: d.find_element(By.TAG_NAME, "body").get_attribute("data-page-id") == name)

    def keys(self, *keys):
        """To whatever has the focus."""
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        return self.driver.switch_to.active_element.get_attribute("id")

    def login(self, user, password):
        self.type("username", user)
        self.type("password", password)
        self.click("kc-login")

    def forget(self):
        """As a browser that was never here."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})


class Callback:
    """An address on this machine that takes answers: by query, by form_post."""

    def __init__(self):
        answers = self.answers = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, text):
                answers.put(dict(urllib.parse.parse_qsl(text)))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<html><body><p id=done>done</p></body></html>")

            def do_GET(self):
                if self.path.startswith("/cb"):
                    self.answer(urllib.parse.urlparse(self.path).query)
                else:
                    self.send_error(404)

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/cb" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    def wait(self):
        return self.answers.get(timeout=30)
