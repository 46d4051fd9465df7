"""A pad to draw a digit on, with networks that read it live: in a notebook (``widget``) and as a page (``page``).

Both show ``pad.js``. In a notebook the answers come from the PyTorch models in the kernel; on the page JavaScript
computes them from the same weights. ``reading`` is what both stand on, and works without a browser, too.
"""
