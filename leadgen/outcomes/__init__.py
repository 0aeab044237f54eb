"""What sequences brought: wordings and hold-outs compared, guard rails, lift, and whether it pays."""
