"""A plan as one self-contained page: `page` fills the `template`, with its `style` and `script`."""
