//! Time grows with the size of the input and not faster, whatever the input.
//!
//! The least time of several runs, at two sizes: noise makes a run longer, never shorter, and a
//! matcher that is quadratic anywhere takes 64 times as long for eight times the input.

use std::time::{Duration, Instant};

use keycull::engine::{Engine, Scratch};

use crate::corpus;

fn least(runs: usize, mut work: impl FnMut()) -> Duration {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

const SMALL: usize = 16 << 10;
const FACTOR: usize = 8;

/// Fails when `work` takes more than three times as long for each byte of the larger input (caches
/// take their share; what is quadratic takes eight times as long).
fn assert_linear(name: &str, small: &[u8], large: &[u8], work: impl Fn(&[u8])) {
    let (mut of_small, mut of_large) = (Duration::MAX, Duration::MAX);
    // A busy machine may spoil a round, not all of them. Both sides work for equally long, so that
    // it spoils them alike.
    for _ in 0..8 {
        of_small = of_small.min(least(2, || (0..FACTOR).for_each(|_| work(small))));
        of_large = of_large.min(least(2, || work(large)));
        if of_large <= of_small * 3 {
            return;
        }
    }
    panic!("{name}: {of_small:?} for {FACTOR} times {} bytes, {of_large:?} for {}", small.len(), large.len());
}

#[test]
fn hostile_inputs_cost_the_same_for_each_byte() {
    for engine in super::differential::engines() {
        let small = corpus::hostile(SMALL);
        let large = corpus::hostile(SMALL * FACTOR);
        for ((name, small), (_, large)) in small.iter().zip(&large) {
            assert_linear(name, small, large, |bytes| {
                engine.scan(bytes, &mut Scratch::default(), &mut Vec::new());
            });
        }
    }
}

#[test]
fn many_small_ranges_of_one_long_run_cost_the_same_for_each_byte() {
    let engine = Engine::builtin();
    let run = |bytes: usize| vec![b'a'; bytes];
    assert_linear("ranges", &run(SMALL), &run(SMALL * FACTOR), |bytes| {
        let mut scratch = Scratch::default();
        for start in (0..bytes.len()).step_by(512) {
            engine.scan_range(bytes, start..start + 8, &mut scratch, &mut Vec::new());
        }
    });
}
