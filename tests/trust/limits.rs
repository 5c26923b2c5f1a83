//! Time and memory reach into everything that a script can do.
