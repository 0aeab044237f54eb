"""The house's own rules, proved on its source: nobody has to remember them."""
