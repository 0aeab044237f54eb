"""What is known of the machines that open links: names that they give themselves, one list for each kind.

All in small letters, as parts of the User-Agent header. To add one: write it into its list and into the test's.
"""

from __future__ import annotations

import re

# Mail gateways and safety checks: they follow links before, or instead of, a reader.
SCANNERS = (
    "barracuda", "bitdefender", "cloudmark", "fireeye", "forcepoint", "googleimageproxy", "ironport", "kaspersky",
    "microsoft office", "mimecast", "ms-office", "msoffice", "proofpoint", "safelinks", "safebrowsing", "sophos",
    "symantec", "trendmicro", "trustwave", "urlscan", "virustotal", "yahoomailproxy", "zscaler",
)  # fmt: skip
# Messengers and networks that draw a card of the link, and everything that calls itself a program.
PREVIEWS = (
    "aiohttp", "apache-httpclient", "axios", "cardyb", "cfnetwork", "crawler", "curl/", "dalvik/", "embedly",
    "facebookcatalog", "facebookexternalhit", "facebot", "go-http-client", "google-inspectiontool",
    "google-pagerenderer", "google-read-aloud", "guzzle", "headlesschrome", "http.rb", "httpx", "iframely",
    "java/", "kakaotalk-scrap", "libwww", "lighthouse", "line-poker", "mastodon/", "meta-externalagent",
    "meta-externalfetcher", "node-fetch", "okhttp", "pagespeed", "phantomjs", "pinterest/0.", "pleroma", "preview",
    "puppeteer", "python-requests", "python-urllib", "scrapy", "slack-imgproxy", "slurp", "spider", "undici",
    "uptime", "vkshare", "wget", "whatsapp/",
)  # fmt: skip
# Nearly every crawler calls itself a bot, and so does, in its middle, a make of phones.
_BOT = re.compile(r"(?<!cu)bots?\b")


def is_scanner(agent: str) -> bool:
    """Whether a mail gateway or the like names itself so; `agent` in small letters."""
    return any(name in agent for name in SCANNERS)


def is_preview(agent: str) -> bool:
    """Whether nothing, a maker of previews or another program names itself so; `agent` in small letters."""
    return not agent.strip() or _BOT.search(agent) is not None or any(name in agent for name in PREVIEWS)
