"""Training: a LoRA adapter from conversations, fast enough for two CPU cores.

config      the experiment as a TOML file: every value checked, none silently ignored
batches     conversations as the tokens a session would run, packed without padding
functions   the network's operations with gradients written out
lora        adapters merged into the weights at every step
adapter     the adapter as a peft folder, and the fingerprint of its base
quantize    rounding to the blocks that are shipped, as part of the forward pass
network     Gemma 3 over packed conversations that share one run of the declarations
state       what a run needs to go on where it stopped
loop        steps, validation, checkpoints
curves      the run as a picture
command     `offhand-export train`
"""
