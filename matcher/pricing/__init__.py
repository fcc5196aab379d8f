"""All pairs of a `Problem` priced exactly without writing them out: flat arrays of its tables, and the kernels that read them."""
