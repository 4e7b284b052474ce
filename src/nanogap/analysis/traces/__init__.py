"""What any conductance trace offers: histograms, plateaus, switching, retention, noise."""
