//! Solution packages: zip, source tree and what is in them.
//!
//! Pure: bytes in, model or tree out. No network, no clock, no global state; the same input gives
//! the same bytes on every machine and at every thread count (ARCHITECTURE, D4).
