//! Sources against repositories and trees built by git itself.

mod archive;
mod attribution;
mod ignore_rules;
mod index;
mod large_objects;
mod objects;
mod own_files;
mod pack;
mod pack_damage;
mod pack_fixture;
mod range;
mod recorder;
mod reftable;
mod repository;
mod stdin;
mod stores;
mod tree;
