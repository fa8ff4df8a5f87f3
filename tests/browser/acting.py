"""What several tests do on a page."""

from collections.abc import Iterable

from playwright.sync_api import Page, expect


def settled(page: Page) -> None:
    """Wait until the page rests: a click on something that is just being replaced would be lost."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_timeout(300)


def compare(page: Page, names: Iterable[str]) -> None:
    """On the evaluation page, compare the reports of two runs, and wait for their charts."""
    page.get_by_text("Compare", exact=True).click()
    for name in names:
        page.get_by_role("combobox", name="Reports (all are compared").click()
        page.get_by_role("option", name=name).click()
    page.keyboard.press("Escape")
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
