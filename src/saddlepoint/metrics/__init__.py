"""How far a generator is from the data, in numbers. Nothing here knows a game: tensors in, numbers out.

    features     networks that look at pictures, behind one interface
    frechet      Fréchet distance of features (FID), its extrapolation to infinitely many samples
    kernel       kernel distance of features (KID), without bias
    inception    Inception Score
    precision    precision and recall, density and coverage
    memory       nearest neighbors, copies of the training data
    two_sample   can the nearest neighbor tell samples from data?
    classify     what a classifier says of samples with labels: GAN-train, GAN-test
    svm          linear support vector machines of few samples and many features
    bootstrap    how far a score may be off
    patches      sliced Wasserstein distance of small patches, scale by scale
    ssim         structural similarity, diversity
    translation  distance of pictures from those that they should be
    perceptual   distance as people see it, path length
    modes        how many modes were found, and how evenly
    distances    between histograms, and between samples of few dimensions
    resize       pictures to another size, by the rules that scores depend on

What is summed over many samples is summed in float64. Tensors are computed with where they lie.
"""
