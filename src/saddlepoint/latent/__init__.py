"""What can be done with a generator's latent space once it is trained.

walk        from latent to latent, and around a loop of many
truncate    latents without their tails: better samples, and fewer kinds of them
classes     classes by name, and mixtures of them
tours       ways through latents and classes, each as a film and as a sheet
"""
