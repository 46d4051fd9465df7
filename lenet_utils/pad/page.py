"""The drawing pad as one HTML file that needs no Python, server or network: python -m lenet_utils.pad.page FILE"""

import json
import sys
from pathlib import Path

from lenet_utils.checkpoints import find_checkpoint, load_checkpoint
from lenet_utils.files import find_data_root, write_atomically
from lenet_utils.pad.reading import EXAMPLE, describe_network

RUNS = find_data_root() / "runs"
NETWORKS = {
    "LeNet-5": find_checkpoint("lenet5.pt"),
    "MLP": RUNS / "mlp-0" / "model.pt",
    "LeNet-5 of 1998": RUNS / "lenet5-1998-0" / "model.pt",
}
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Draw a digit</title>
<link rel="icon" href="data:,">
<style>
%(css)s
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 8px; max-width: 1120px; }
h1 { font-size: 24px; margin: 4px; }
body.pad > p { margin: 4px; }
</style>
</head>
<body class="pad">
<h1>Draw a digit</h1>
<p>Three networks that have learnt from the 60,000 digits of MNIST read yours while you draw it.
Everything is computed here, in this page.</p>
<main id="pad"></main>
<noscript>The pad needs JavaScript.</noscript>
<script type="application/json" id="networks">%(networks)s</script>
<script type="module">
%(module)s
mount(document.getElementById("pad"), ...JSON.parse(document.getElementById("networks").textContent));
</script>
</body>
</html>
"""


def write_page(path: Path | str) -> None:
    """Write the page, 1.3 MB, with the three ``NETWORKS`` of the course inside."""
    folder = Path(__file__).parent
    networks = [describe_network(name, *load_checkpoint(file)) for name, file in NETWORKS.items()]
    parts = {
        "css": (folder / "pad.css").read_text("utf-8"),
        "module": (folder / "pad.js").read_text("utf-8"),
        "networks": json.dumps([networks, EXAMPLE], separators=(",", ":")),
    }
    write_atomically(Path(path), (PAGE % parts).encode())


if __name__ == "__main__":
    write_page(sys.argv[1])
