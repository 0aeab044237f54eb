"""The family of a browser: “Chrome Android” and no more. A version would help to recognise people, so none is kept."""

from __future__ import annotations

from functools import lru_cache

_SYSTEMS = (("iphone", "iOS"), ("ipad", "iOS"), ("android", "Android"), ("windows", "Windows"), ("mac os", "macOS"),
            ("cros", "ChromeOS"), ("linux", "Linux"))  # fmt: skip
# In this order: each later browser names the earlier ones too.
_BROWSERS = (("instagram", "Instagram"), ("fban", "Facebook"), ("fbav", "Facebook"), ("samsungbrowser", "Samsung"),
             ("edg", "Edge"), ("opr/", "Opera"), ("firefox", "Firefox"), ("fxios", "Firefox"), ("crios", "Chrome"),
             ("chrome", "Chrome"), ("safari", "Safari"))  # fmt: skip


@lru_cache(maxsize=4096)
def family(user_agent: str) -> str:
    """Browser and system, such as “Safari iOS”; empty when neither is known."""
    small = user_agent.lower()
    browser = next((name for sign, name in _BROWSERS if sign in small), "")
    system = next((name for sign, name in _SYSTEMS if sign in small), "")
    return f"{browser} {system}".strip()
