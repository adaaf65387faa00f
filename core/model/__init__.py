"""The behaviour model: network, triplets, training, embedding."""
