"""Sound to motion: features, layout of coefficients, sampler, generator, states."""
