"""Hot answers in each content coding: their sizes, and how many a second beside the same answer as it is.

`python -m perf.benches.answers.encodings [--programs 2000] [--seconds 3] [--rounds 5]` needs wrk. The codings take turns in every
round, and the table has the median of the rounds' ratios.
"""

import argparse
import shutil
import statistics
from collections import defaultdict
from urllib.parse import quote

import requests

from api.answers.encodings import CODINGS
from perf.tables import compare
from perf.turns import wrk
from tests.support.stack import product

BAR_RATE = 0.95
# 100 cards had 65 KB before they were compressed; the bar is 14 KB.
BAR_SIZE = 14 / 65
CARDS = "/discovery/browse?limit=100"
ADDRESSES = (CARDS, f"/discovery/search?q={quote('قهوة')}")
_CONNECTIONS = 32
_AS_IT_IS = "identity"


def size(url: str, coding: str) -> int:
    """Return the bytes of an answer's body as they are sent.

    Args:
        url: The address.
        coding: The value of Accept-Encoding.
    """
    with requests.get(url, headers={"Accept-Encoding": coding}, stream=True, timeout=30) as answer:
        answer.raise_for_status()
        return len(answer.raw.read(decode_content=False))


def main() -> None:
    """Measure, and print the tables.

    Raises:
        SystemExit: There is no wrk on PATH, or a bar was missed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")
    codings = [coding.decode() for coding in CODINGS]
    missed = False
    with product(options.programs) as running:
        ids = running.home / "ids.txt"
        ids.write_text("1")
        running.wait_indexed()
        for address in ADDRESSES:
            plain = size(running.api + address, _AS_IT_IS)
            sizes = {coding: size(running.api + address, coding) / plain for coding in codings}
            ratios = defaultdict(list)
            for _ in range(options.rounds):
                rates = {}
                for coding in (_AS_IT_IS, *codings):
                    given = {"MIX_WORDS": "x", "MIX_IDS": str(ids), "MIX_PAGE": address}
                    found = wrk(running.api, options.seconds, _CONNECTIONS, given | {"MIX_ENCODING": coding})
                    rates[coding] = found["rate"]
                for coding in codings:
                    ratios[coding].append(rates[coding] / rates[_AS_IT_IS])
            rows = [("bytes as it is", f"{plain}", "")]
            for coding in codings:
                rate = statistics.median(ratios[coding])
                bar = f"{BAR_SIZE:.3f}" if address == CARDS else ""
                missed |= rate < BAR_RATE or (address == CARDS and sizes[coding] > BAR_SIZE)
                rows += [
                    (f"bytes in {coding} ÷ as it is", f"{sizes[coding]:.3f}", bar),
                    (f"rate in {coding} ÷ as it is", f"{rate:.2f}", f"{BAR_RATE}"),
                ]
            compare(address, rows)
    if missed:
        raise SystemExit("a bar was missed")


if __name__ == "__main__":
    main()
