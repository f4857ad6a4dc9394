//! Checking credentials.

mod providers;
