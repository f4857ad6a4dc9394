//! What a bug may say about itself.

/// Makes panics log where they happened and nothing else, from now on and in every thread.
///
/// The standard message quotes the text at hand when a string is cut wrongly, and that text may
/// be a secret. Programs call this once at their start; a panic while content is scanned is a
/// gap in the report anyway.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| match info.location() {
        Some(place) => log::error!("internal error at {}:{}", place.file(), place.line()),
        None => log::error!("internal error"),
    }));
}
