import os
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]="1"
import pytest
from playwright.sync_api import sync_playwright
@pytest.mark.django_db
def test_it(live_server):
    from django.contrib.staticfiles.testing import StaticLiveServerTestCase
    with sync_playwright() as p:
        b=p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page=b.new_page()
        logs=[]; reqs=[]
        page.on("console", lambda m: logs.append(m.text)); page.on("request", lambda r: reqs.append(r.url))
        page.on("pageerror", lambda e: logs.append("ERR "+str(e)))
        def strict(route):
            r=route.fetch(); h={**r.headers}; h["content-security-policy"]=h["content-security-policy"].replace(" 'unsafe-inline'",""); print(h["content-security-policy"]); route.fulfill(response=r,headers=h)
        page.route("**/api/v1/docs", strict)
        page.goto(live_server.url+"/api/v1/docs"); page.wait_for_timeout(4000)
        page.locator(".opblock-summary").first.click(); page.wait_for_timeout(1500)
        page.get_by_text("Authorize").first.click(); page.wait_for_timeout(800); page.screenshot(path="/tmp/docs2.png")
        print("LOGS", logs[:10]); print("REQS", reqs); print(page.locator(".opblock").count())
        b.close()
