"""Functions to fingerprints: `source`, `reach`, `manifest`."""

#: How closely the versions of packages count, see `reach.Tracker`; here, since it is asked for
#: before anything else of this package is.
GRANULARITIES = ("exact", "minor", "record", "off")
