"""From what a user points at to an endless stream of batches.

One idea a file, in the order the data travels:

    policy    what the user decided about odd pictures                (`Policy`)
    layout    names: which are pictures, their order, their classes
    listing   what lies in a place, and how any place is read         (`Storage`, `Index`, `changes`)
    folders, archives, arrays    the places: a folder, a zip read where it is, an npz or an array
    decode    bytes to one uint8 array, or the reason why not: the only door for foreign bytes
    convert, fit    any mode to 8-bit sRGB; any shape to the asked one
    attributes, labels, labeling    what else is known of pictures, label files that tell it, and classes made of it
    scan      every picture is looked at before step 1                (`scan`, `judge`, `Watch`)
    report    what the scan found                                     (`ScanReport`)
    cache     decoded pixels on disk, mapped into memory
    images    a decoded set of equal pictures                         (`Images`)
    laws, toys, points    distributions of known density on the line and in the plane, and samples of them
    places    from words to one of them
    source    what the user pointed at, not yet decoded               (`Source`, `open_source`)
    sides, pairs    the same as pairs, or as two sets without pairs   (`Pairs`, `Unpaired`, `pairs`, `unpaired`)
    stream, pair_stream    the endless shuffled sequence, a pure function of a seed (`ImageStream`, …)
    batches   what a game gets at one draw                            (`Batch`, `Pair`)
    catalog, heads    sets known by name, each made by a file of its own
"""
