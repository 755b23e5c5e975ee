"""What figures are written with: fonts cut to what is used, pixels, PNG files."""
