"""Stage 0, `synth`: conversations to train on, from one of two interchangeable teachers."""
