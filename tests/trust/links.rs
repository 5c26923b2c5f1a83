//! Links, devices and odd files in a workspace, and workspaces that are made whole or not at all.
