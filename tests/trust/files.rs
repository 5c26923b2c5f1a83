//! Names that become files: a package, a script, a mapping or a push writes where it may and nowhere else.
