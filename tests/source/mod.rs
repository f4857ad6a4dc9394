//! Tests of `source`.

mod pack;
mod pack_damage;
mod pack_fixture;
