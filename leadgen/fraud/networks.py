"""What of a network is kept: keyed hashes, and whether it is a data centre's by an offline list. Nobody is asked.

The list names large ranges of well-known hosts, written by hand from public registrations in 2025. It is short, ages,
and is sometimes wrong (a company's way out, a traveller's tunnel); that is why being on it weighs little by itself.
Phone networks look like any other provider's.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from bisect import bisect_right
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from leadgen.contacts import address

ISP, DATACENTRE = "isp", "datacentre"
_RANGES = """
3.0.0.0/9 13.32.0.0/12 13.48.0.0/13 15.152.0.0/13 18.128.0.0/9 34.192.0.0/10 35.152.0.0/13 44.192.0.0/10 52.0.0.0/10
54.64.0.0/10 54.144.0.0/12
34.64.0.0/10 35.184.0.0/13 35.192.0.0/12 104.196.0.0/14 130.211.0.0/16 146.148.0.0/17
13.64.0.0/11 20.33.0.0/16 20.40.0.0/13 40.64.0.0/10 51.103.0.0/16 51.104.0.0/15 52.224.0.0/11 104.40.0.0/13
45.55.0.0/16 46.101.0.0/16 68.183.0.0/16 104.131.0.0/16 104.236.0.0/16 134.209.0.0/16 138.68.0.0/16 138.197.0.0/16
139.59.0.0/16 142.93.0.0/16 157.230.0.0/16 159.65.0.0/16 159.89.0.0/16 161.35.0.0/16 164.90.0.0/16 165.22.0.0/16
165.227.0.0/16 167.71.0.0/16 167.99.0.0/16 167.172.0.0/16 174.138.0.0/17 178.62.0.0/16 178.128.0.0/16 188.166.0.0/16
192.241.128.0/17 206.189.0.0/16 209.97.128.0/18 2400:6180::/32 2604:a880::/32 2a03:b0c0::/32
37.59.0.0/16 37.187.0.0/16 46.105.0.0/16 51.38.0.0/16 51.68.0.0/16 51.75.0.0/16 51.77.0.0/16 51.79.0.0/16 51.81.0.0/16
51.83.0.0/16 51.89.0.0/16 51.91.0.0/16 51.178.0.0/16 51.195.0.0/16 51.210.0.0/16 51.222.0.0/16 51.254.0.0/15
54.36.0.0/14 87.98.128.0/17 91.121.0.0/16 91.134.0.0/16 94.23.0.0/16 135.125.0.0/16 137.74.0.0/16 141.94.0.0/15
145.239.0.0/16 147.135.0.0/16 149.56.0.0/16 149.202.0.0/16 151.80.0.0/16 158.69.0.0/16 164.132.0.0/16 167.114.0.0/16
176.31.0.0/16 178.32.0.0/15 188.165.0.0/16 192.95.0.0/18 192.99.0.0/16 198.27.64.0/18 198.50.128.0/17 213.32.0.0/17
213.186.32.0/19 213.251.128.0/18 2001:41d0::/32
5.9.0.0/16 5.75.128.0/17 23.88.0.0/17 46.4.0.0/16 49.12.0.0/15 65.21.0.0/16 65.108.0.0/15 78.46.0.0/15 88.99.0.0/16
88.198.0.0/16 91.107.128.0/17 94.130.0.0/16 95.216.0.0/15 116.202.0.0/15 128.140.0.0/17 135.181.0.0/16 136.243.0.0/16
138.201.0.0/16 142.132.128.0/17 144.76.0.0/16 148.251.0.0/16 157.90.0.0/16 159.69.0.0/16 162.55.0.0/16 167.235.0.0/16
168.119.0.0/16 176.9.0.0/16 178.63.0.0/16 188.40.0.0/16 195.201.0.0/16 213.239.192.0/18 2a01:4f8::/31
45.33.0.0/17 45.56.64.0/18 45.79.0.0/16 50.116.0.0/18 69.164.192.0/19 72.14.176.0/20 96.126.96.0/19 97.107.128.0/20
139.144.0.0/16 139.162.0.0/16 170.187.128.0/17 172.104.0.0/15 173.255.192.0/18 178.79.128.0/17 192.46.208.0/20
212.71.232.0/21 2600:3c00::/28 2a01:7e00::/31
45.32.0.0/16 45.63.0.0/17 45.76.0.0/15 66.42.32.0/19 95.179.128.0/17 104.156.224.0/19 108.61.0.0/16 140.82.0.0/18
149.28.0.0/16 155.138.128.0/17 199.247.0.0/19 207.148.0.0/17 2001:19f0::/32
51.15.0.0/16 51.158.0.0/15 62.210.0.0/16 163.172.0.0/16 195.154.0.0/16 212.47.224.0/19 212.83.128.0/18
212.129.0.0/18 2001:bc8::/32
"""


def hashed(ip: str) -> tuple[bytes, bytes]:
    """Keyed hashes of the network (/24 or /48) and of the address (whole, or a household's /64); empty without one."""
    found = _parsed(ip)
    if found is None:
        return b"", b""
    wide, whole = (24, 32) if found.version == 4 else (48, 64)
    return _keyed("network", found, wide), _keyed("address", found, whole)


def kind(ip: str) -> str:
    """`datacentre` when the offline list has it, else `isp`."""
    found = _parsed(ip)
    if found is None:
        return ISP
    starts, ends = _bounds(found.version)
    place = bisect_right(starts, int(found)) - 1
    return DATACENTRE if place >= 0 and int(found) <= ends[place] else ISP


def _parsed(ip: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ipaddress.ip_address(ip)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _keyed(sort: str, ip: IPv4Address | IPv6Address, length: int) -> bytes:
    network = ipaddress.ip_network((ip, length), strict=False)
    return hmac.digest(address.installation_key(), f"{sort}:{network}".encode(), hashlib.sha256)[:16]


@lru_cache(maxsize=2)
def _bounds(version: int) -> tuple[list[int], list[int]]:
    """The ranges of one version of the protocol, joined where they overlap, as starts and ends."""
    found = [network for network in map(ipaddress.ip_network, _RANGES.split()) if network.version == version]
    joined = sorted(ipaddress.collapse_addresses(found))  # type: ignore[type-var]
    return [int(one[0]) for one in joined], [int(one[-1]) for one in joined]
