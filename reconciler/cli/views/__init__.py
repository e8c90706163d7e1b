"""What the engine gives, in words on a terminal, in a file or in a pipeline's summary.

events         what is told on the way
diagnostics    mistakes in the files, as seen from the caller
plan           a plan in any format
report         what an apply did
drift          what others changed
import_        what an import wrote and left out
patch          --write-patch
consent        --write-consent
formatting     what fmt did to each file
init           what a new repository has, and what to type next
state          a state started, pushed, copied
step_summary   the summary of a pipeline's step
terminal       styled lines, wrapped and colored
"""
