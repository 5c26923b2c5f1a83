//! What is kept is true and for its owner; what is shown has no secrets.
