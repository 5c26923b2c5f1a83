//! The emulated tenant, asked over its wire formats as a client asks the services.

mod administration;
mod batch;
mod faults;
mod flows;
mod people;
mod reading;
mod sign_in;
mod speed;
mod tenant;
mod writing;
