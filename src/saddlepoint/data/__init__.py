"""From what a user points at to an endless stream of batches.

One idea a file, in the order the data travels:

    policy     what the user decided about odd pictures            (`Policy`)
    decode     bytes to one uint8 array, or the reason why not     (the only door for foreign bytes)
    fit        one picture to the asked height, width, channels
    folders, archives, arrays    where pictures lie: a folder, a zip read in place, an npz
    scan       every picture is looked at before step 1            (`ScanReport`)
    cache      decoded pixels, memory-mapped, decoded once
    images     a decoded set of equal pictures                     (`Images`)
    source     what the user pointed at, not yet decoded           (`Source`, `open_source`)
    stream     the endless shuffled sequence, a pure function of the seed
"""
