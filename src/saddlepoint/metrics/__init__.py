"""How far a generator is from the data, in numbers. Nothing here knows a game: tensors in, numbers out.

    modes        how many modes were found, and how evenly    (`modes`, `perfect`, `modes_of_labels`, …)
    distances    between histograms, and between samples      (`kl`, `jensen_shannon`, `wasserstein1`, `mmd`, …)

Everything is computed in float64 on the CPU, wherever the tensors lie.
"""
