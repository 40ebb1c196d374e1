"""The live picture and its way to the screens: feed → picture → hub → session."""
