"""Plans, diagnostics, drift and reports as text, Markdown, HTML and JSON. Pure. In reading order:

Words and syntax
  escape            what a stranger wrote, made legible and cut
  spans             styled lines, which the command line prints in colour or plainly
  sentences         sentences that renderings share: the summary line, durations, short lists
  folding           what looks alike, as one group
  gfm               GitHub's Markdown, in which a stranger's text stays text
  values            field paths, values and people
A plan
  changes           devices and their changes
  coverage          what a plan of a part covers, and what it leaves out
  view              the one view that the renderings below show
  text, markdown    on a terminal; as a comment
  html/             as a page
  calls             its HTTP calls in order
Other documents
  diagnostics       mistakes in files, also for GitHub and SARIF
  report            what an apply did, as text and JSON
  report_markdown   and as Markdown
  drift             what moved since the last apply
  doctor            results of checks
  record            entries of the state
  guide             what `explain` says
All of them
  formats           the tables of output formats: a new one is a row there
"""
