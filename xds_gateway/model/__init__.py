"""What we talk about: frozen values of the standard. Imports nothing of ours."""
