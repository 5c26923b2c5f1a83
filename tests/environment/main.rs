//! The environment client: against small services that answer exactly what a case needs, and
//! against the emulated tenant.

mod examples;
mod importing;
mod service;
mod settings;
mod tenant;
mod tenant_apps;
mod tenant_connections;
mod tenant_data;
mod tenant_settings;
mod tenant_solutions;
mod upgrading;
