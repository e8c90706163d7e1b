"""Read what is really there: plans the reads of live state, and makes them.

In reading order:

reading        read until nothing is missing: by a sweep where that is quicker, the rest by point
strategy       which of the two is quicker: arithmetic
point_reads    exactly the registrations, owners and people that are needed, one by one
applications   which applications of the project the service lists, with its ids of them
sweep          everybody, page by page; links the service's application ids to a project's
sweep_result   what pages add up to while people come and go
census         everything that lives in one application, for an import
context        what all reads share: service, codes, rates, and how many reads at once
"""
