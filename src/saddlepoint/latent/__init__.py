"""What can be done with a generator's latent space once it is trained: so far, walking through it."""
