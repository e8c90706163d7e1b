"""A plan as one self-contained page. In reading order:

page        fills the template from the view of a plan
template    the markup
style       light and dark, narrow and wide, paper
script      search and filters
"""
