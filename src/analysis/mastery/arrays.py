"""What an array holds, by name; its shape stands in words where it is returned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int_]
Truths = NDArray[np.bool_]
