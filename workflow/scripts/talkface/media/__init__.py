"""Media input and output: sound, video frames, speech synthesis, encoding."""
